import type { Plan, Run } from '../../plan/plan.ts';
import { scoredKey } from '../../plan/scored-data.ts';
import type { Json } from '../../system/json.ts';
import type { WireMetric } from '../client/wire.ts';
import { type BestConfiguration, bestConfiguration } from '../../record/best-configuration.ts';
import { encodeNumber } from '../../system/json.ts';
import { cleanKey } from '../client/limits.ts';
import { lifecycleOf, type TrackedRun } from '../journal/record.ts';

interface ResultRow {
  readonly run: Run;
  /** From 1, within the runs whose scores can be compared with its own. */
  readonly rank: number;
  /** Index of these runs among the groups of the sweep. */
  readonly group: number;
  /** The last value of the objective; undefined when there is none. */
  readonly objective: number | undefined;
  /** How the run ended, or its present state. */
  readonly reason: string;
  readonly steps: number;
  readonly seconds: number;
}

/** A sweep's runs by group, best first, and what is recorded of all of them. */
export interface SweepResults {
  readonly rows: readonly ResultRow[];
  /** How many groups of runs there are whose scores cannot be compared with each other's. */
  readonly groups: number;
  /** The best configuration of each group that has one, as `unroll compare` ranks them. */
  readonly best: readonly BestConfiguration[];
  readonly completed: number;
  readonly failed: number;
  /** Whether every run has ended. */
  readonly over: boolean;
  readonly startedAt: number | undefined;
  readonly endedAt: number | undefined;
}

/** JSON files hold NaN and infinities as null or texts. */
const toNumber = (value: unknown): number | undefined =>
  typeof value === 'number' ? value : typeof value === 'string' ? Number(value) : undefined;

export const sweepResults = (plan: Plan, records: ReadonlyMap<string, TrackedRun>): SweepResults => {
  const sign = plan.objective.goal === 'maximize' ? -1 : 1;
  const rows = plan.runs.map((run) => {
    const record = records.get(run.id);
    const outcome = record?.status?.outcome;
    return {
      run,
      objective: toNumber(outcome?.metrics[plan.objective.metric]),
      reason: outcome?.reason ?? (record ? lifecycleOf(record) : 'not started'),
      steps: outcome?.step ?? 0,
      seconds: (outcome?.elapsedMs ?? 0) / 1000,
    };
  });
  const order = ({ objective, reason }: Pick<ResultRow, 'objective' | 'reason'>) =>
    objective === undefined || Number.isNaN(objective) || reason !== 'completed'
      ? Infinity
      : sign * objective;
  const groups = new Map<string, (typeof rows)[number][]>();
  for (const row of rows) {
    const key = scoredKey(row.run);
    const group = groups.get(key);
    if (group) group.push(row);
    else groups.set(key, [row]);
  }
  const ranked = [...groups.values()].map((list, group) =>
    [...list]
      .sort((a, b) => (order(a) === order(b) ? 0 : order(a) - order(b)))
      .map((row, index): ResultRow => ({ ...row, group, rank: index + 1 })),
  );
  const statuses = [...records.values()].map(({ status }) => status);
  const starts = statuses.flatMap((status) => (status ? [status.startedAt] : []));
  const ends = statuses.flatMap((status) => (status?.endedAt ? [status.endedAt] : []));
  return {
    rows: ranked.flat(),
    groups: ranked.length,
    best: [...groups.values()].flatMap((list) => {
      const values = new Map(
        list.flatMap(({ run, objective, reason }) =>
          reason === 'completed' && objective !== undefined ? [[run.id, objective]] : [],
        ),
      );
      const runs = list.map(({ run }) => run);
      return bestConfiguration(runs, ({ id }) => values.get(id), plan.objective) ?? [];
    }),
    completed: rows.filter(({ reason }) => reason === 'completed').length,
    failed: rows.filter(({ reason }) =>
      ['diverged', 'failed', 'crashed', 'out-of-memory', 'timed-out'].includes(reason),
    ).length,
    over: plan.runs.every(({ id }) => records.get(id)?.status?.state === 'ended'),
    startedAt: starts.length > 0 ? starts.reduce((a, b) => Math.min(a, b)) : undefined,
    endedAt: ends.length > 0 ? ends.reduce((a, b) => Math.max(a, b)) : undefined,
  };
};

/**
 * The sweep's own numbers, one point each, in a section of their own: the runs' metric names on the parent would
 * add a bar and a line to the runs' charts. The step counts completed runs, so a resumed sweep adds points. There is no
 * best and no mean of scores that cannot be compared.
 */
export const sweepMetrics = (plan: Plan, results: SweepResults): readonly WireMetric[] => {
  if (!results.over || results.endedAt === undefined) return [];
  const timestamp = results.endedAt;
  const step = results.completed;
  const comparable = results.groups === 1 ? results.rows : [];
  const values = comparable.flatMap(({ objective, reason }) =>
    reason === 'completed' && objective !== undefined && Number.isFinite(objective) ? [objective] : [],
  );
  const best = results.groups === 1 ? results.best[0] : undefined;
  const point = (key: string, value: number): WireMetric => ({
    key: cleanKey(`sweep/${key}`),
    value: encodeNumber(value),
    timestamp,
    step,
  });
  const name = plan.objective.metric
    .split(/[^\p{L}\p{N}]+/u)
    .map((word) => word.slice(0, 1).toUpperCase() + word.slice(1))
    .join('');
  return [
    point('completedRuns', results.completed),
    point('failedRuns', results.failed),
    point(
      'trainingSeconds',
      results.rows.reduce((sum, { seconds }) => sum + seconds, 0),
    ),
    ...(best ? [point(`best${name}`, best.mean)] : []),
    ...(values.length === 0
      ? []
      : [point(`mean${name}`, values.reduce((sum, value) => sum + value, 0) / values.length)]),
  ];
};

const csvField = (value: Json | undefined): string => {
  const text =
    value === undefined || value === null ? '' : typeof value === 'string' ? value : JSON.stringify(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
};

/** All runs as CSV (RFC 4180), best first; with a column for the group where there are several. */
export const resultsCsv = (plan: Plan, { rows, groups }: SweepResults): string =>
  [
    [
      ...(groups > 1 ? ['group'] : []),
      ...['rank', 'run', ...plan.axes, plan.objective.metric, 'outcome', 'steps', 'seconds'],
    ],
    ...rows.map(({ run, group, rank, objective, reason, steps, seconds }) => [
      ...(groups > 1 ? [group + 1] : []),
      rank,
      run.id,
      ...plan.axes.map((axis) => run.varying[axis]),
      objective === undefined ? null : String(objective),
      reason,
      steps,
      seconds,
    ]),
  ]
    .map((row) => `${row.map(csvField).join(',')}\r\n`)
    .join('');
