import type { Plan, Run } from '../../plan/plan.ts';
import type { Json } from '../../system/json.ts';
import type { WireMetric } from '../client/wire.ts';
import { toWire } from '../client/wire.ts';
import { cleanKey } from '../client/limits.ts';
import type { RunRecord } from '../journal/record.ts';

interface ResultRow {
  readonly run: Run;
  /** The last value of the objective; undefined when there is none. */
  readonly objective: number | undefined;
  /** How the run ended, or where it stands. */
  readonly reason: string;
  readonly steps: number;
  readonly seconds: number;
}

/** A sweep's runs, best first, and what is said of all of them. */
export interface SweepResults {
  readonly rows: readonly ResultRow[];
  readonly best: ResultRow | undefined;
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

export const sweepResults = (plan: Plan, records: ReadonlyMap<string, RunRecord>): SweepResults => {
  const sign = plan.objective.goal === 'maximize' ? -1 : 1;
  const rows = plan.runs.map((run): ResultRow => {
    const record = records.get(run.id);
    const outcome = record?.status?.outcome;
    return {
      run,
      objective: toNumber(outcome?.metrics[plan.objective.metric]),
      reason: outcome?.reason ?? (record === undefined ? 'not started' : record.state),
      steps: outcome?.step ?? 0,
      seconds: (outcome?.elapsedMs ?? 0) / 1000,
    };
  });
  const rank = ({ objective, reason }: ResultRow) =>
    objective === undefined || Number.isNaN(objective) || reason !== 'completed'
      ? Infinity
      : sign * objective;
  const sorted = [...rows].sort((a, b) => (rank(a) === rank(b) ? 0 : rank(a) - rank(b)));
  const first = sorted[0];
  const statuses = [...records.values()].map(({ status }) => status);
  const starts = statuses.flatMap((status) => (status ? [status.startedAt] : []));
  const ends = statuses.flatMap((status) => (status?.endedAt ? [status.endedAt] : []));
  return {
    rows: sorted,
    best: first && Number.isFinite(rank(first)) ? first : undefined,
    completed: rows.filter(({ reason }) => reason === 'completed').length,
    failed: rows.filter(({ reason }) =>
      ['diverged', 'failed', 'crashed', 'out-of-memory', 'timed-out'].includes(reason),
    ).length,
    over: plan.runs.every(({ id }) => records.get(id)?.state === 'ended'),
    startedAt: starts.length > 0 ? starts.reduce((a, b) => Math.min(a, b)) : undefined,
    endedAt: ends.length > 0 ? ends.reduce((a, b) => Math.max(a, b)) : undefined,
  };
};

/**
 * The sweep's own numbers, one point each, in a section of their own: the runs' metric names on the parent would
 * add a bar and a line to the runs' charts. The step counts completed runs, so a sweep that is gone on with adds points.
 */
export const sweepMetrics = (plan: Plan, results: SweepResults): readonly WireMetric[] => {
  if (!results.over || results.endedAt === undefined) return [];
  const timestamp = results.endedAt;
  const step = results.completed;
  const values = results.rows.flatMap(({ objective, reason }) =>
    reason === 'completed' && objective !== undefined && Number.isFinite(objective) ? [objective] : [],
  );
  const point = (key: string, value: number): WireMetric => ({
    key: cleanKey(`sweep/${key}`),
    value: toWire(value),
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
    ...(results.best?.objective === undefined ? [] : [point(`best${name}`, results.best.objective)]),
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

/** All runs as CSV (RFC 4180), best first. */
export const resultsCsv = (plan: Plan, { rows }: SweepResults): string =>
  [
    ['rank', 'run', ...plan.axes, plan.objective.metric, 'outcome', 'steps', 'seconds'],
    ...rows.map(({ run, objective, reason, steps, seconds }, index) => [
      index + 1,
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
