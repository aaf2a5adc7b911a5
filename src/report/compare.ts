import type { Objective } from '../language/config.ts';
import type { Run } from '../plan/plan.ts';
import type { Json } from '../system/json.ts';
import type { RecordedRun } from '../record/read-runs.ts';
import { type RunState, runStates } from '../record/run-state.ts';
import { type Difference, difference, type Summary, summarize, tied } from './statistics.ts';
import { flattenConfig, varyingPaths } from './varying.ts';

/** One run in a comparison. */
export interface ComparedRun {
  readonly id: string;
  readonly seed: number;
  readonly state: RunState;
  /** Why it is in that state; empty when there is nothing to say. */
  readonly reason: string;
  /** The objective at the end; null without a finite one. */
  readonly value: number | null;
  readonly step: number;
  readonly elapsedMs: number;
  readonly directory: string | null;
}

/** Runs that differ only by seed, or that share the settings one groups by. */
export interface ComparedConfiguration {
  /** 1 for the best; null without a result. */
  readonly rank: number | null;
  readonly best: boolean;
  /** Statistically tied with the best, see `tied` in statistics.ts. */
  readonly tied: boolean;
  /** The varying settings by path. A setting that these runs do not have is absent. */
  readonly values: Readonly<Record<string, Json>>;
  /** The objective over the runs that are done. */
  readonly objective: Summary | null;
  /** This configuration's objective minus the best one's; null for the best itself. */
  readonly difference: Difference | null;
  /** Every other metric at the end, over the runs that are done. */
  readonly metrics: Readonly<Record<string, Summary>>;
  /** In the order of the seeds. */
  readonly runs: readonly ComparedRun[];
}

/** A comparison as data: what the table, CSV and JSON are made of. */
export interface Comparison {
  readonly experiment: string;
  readonly objective: Objective;
  /** Paths of the varying settings, without the seed. */
  readonly axes: readonly string[];
  readonly seeds: readonly number[];
  /** True when runs were grouped by chosen settings instead of by configuration. */
  readonly grouped: boolean;
  readonly counts: Readonly<Record<RunState, number>>;
  /** The best first; configurations without a result last, in the order of the plan. */
  readonly configurations: readonly ComparedConfiguration[];
}

export interface CompareOptions {
  readonly objective: Objective;
  /** The plan's runs, so that those that never began are shown too; the recorded ones alone by default. */
  readonly planned?: readonly Run[];
  /** The plan's axes, for the order of columns. */
  readonly axes?: readonly string[];
  /** Paths to group by instead of by configuration: runs that agree in these are replicates of each other. */
  readonly groupBy?: readonly string[];
}

/** Puts runs side by side: configurations, statistics over seeds, rank by the objective. */
export const compareRuns = (recorded: readonly RecordedRun[], options: CompareOptions): Comparison => {
  const { objective, planned, groupBy } = options;
  const byId = new Map(recorded.map((one) => [one.run.id, one]));
  const runs = planned ?? recorded.map((one) => one.run);
  // Runs of a configuration differ only by seed, so thousands of runs are flattened once for each configuration.
  const flats = new Map<string, ReadonlyMap<string, Json>>();
  for (const run of runs) if (!flats.has(run.cell)) flats.set(run.cell, flattenConfig(run.config));
  const varying = varyingPaths(flats.values(), options.axes);
  const axes = groupBy ?? varying;

  const groups = new Map<string, Member[]>();
  for (const run of runs) {
    const flat = flats.get(run.cell) ?? flattenConfig(run.config);
    const key = groupBy ? JSON.stringify(groupBy.map((path) => flat.get(path) ?? null)) : run.cell;
    const others = varying.filter((path) => !axes.includes(path)).map((path) => flat.get(path) ?? null);
    const member = { run, flat, pair: JSON.stringify([run.seed, ...others]), recorded: byId.get(run.id) };
    const group = groups.get(key);
    if (group) group.push(member);
    else groups.set(key, [member]);
  }

  const drafts = [...groups.values()].map((members) => draftConfiguration(members, axes, objective));
  const sign = objective.goal === 'maximize' ? -1 : 1;
  const ranked = drafts
    .filter((draft) => draft.objective !== null)
    .sort((a, b) => sign * ((a.objective?.mean ?? 0) - (b.objective?.mean ?? 0)));
  const [best] = ranked;
  const configurations = ranked.map((draft, index): ComparedConfiguration => {
    const { values, ...configuration } = draft;
    const gap = best && draft !== best ? difference(draft.byPair, best.byPair) : null;
    return {
      rank: index + 1,
      best: draft === best,
      tied: gap !== null && tied(gap),
      values,
      objective: configuration.objective,
      difference: gap,
      metrics: configuration.metrics,
      runs: configuration.runs,
    };
  });
  const without = drafts
    .filter((draft) => draft.objective === null)
    .map(({ values, metrics, runs: members }): ComparedConfiguration => ({
      rank: null,
      best: false,
      tied: false,
      values,
      objective: null,
      difference: null,
      metrics,
      runs: members,
    }));

  const states = runs.map((run) => byId.get(run.id)?.state ?? 'new');
  return {
    experiment: runs[0]?.experiment ?? '',
    objective,
    axes,
    seeds: [...new Set(runs.map((run) => run.seed))].sort((a, b) => a - b),
    grouped: groupBy !== undefined,
    counts: Object.fromEntries(
      runStates.map((state) => [state, states.filter((one) => one === state).length]),
    ) as Record<RunState, number>,
    configurations: [...configurations, ...without],
  };
};

interface Member {
  readonly run: Run;
  readonly flat: ReadonlyMap<string, Json>;
  /** Members of two configurations with the same pair differ only in what the configurations differ in. */
  readonly pair: string;
  readonly recorded: RecordedRun | undefined;
}

const draftConfiguration = (members: readonly Member[], axes: readonly string[], objective: Objective) => {
  const byPair = new Map<string, number>();
  const metrics = new Map<string, number[]>();
  const runs = members.map(({ run, pair, recorded }): ComparedRun => {
    const value = recorded?.state === 'done' ? recorded.metrics[objective.metric] : undefined;
    const usable = value !== undefined && Number.isFinite(value);
    if (usable) byPair.set(pair, value);
    for (const [name, one] of Object.entries(recorded?.state === 'done' ? recorded.metrics : {})) {
      if (name === objective.metric || !Number.isFinite(one)) continue;
      const list = metrics.get(name);
      if (list) list.push(one);
      else metrics.set(name, [one]);
    }
    return {
      id: run.id,
      seed: run.seed,
      state: recorded?.state ?? 'new',
      reason: reasonFor(recorded, objective.metric, usable),
      value: usable ? value : null,
      step: recorded?.status?.outcome?.step ?? 0,
      elapsedMs: recorded?.status?.outcome?.elapsedMs ?? 0,
      directory: recorded?.directory ?? null,
    };
  });
  const flat = members[0]?.flat;
  const present = axes.flatMap((path): [string, Json][] => {
    const value = flat?.get(path);
    return value === undefined ? [] : [[path, value]];
  });
  const values = [...byPair.values()];
  return {
    values: Object.fromEntries(present),
    byPair,
    objective: values.length > 0 ? summarize(values) : null,
    metrics: Object.fromEntries([...metrics].map(([name, list]) => [name, summarize(list)])),
    runs: runs.sort((a, b) => a.seed - b.seed),
  };
};

const reasonFor = (recorded: RecordedRun | undefined, metric: string, usable: boolean): string => {
  if (!recorded) return '';
  if (recorded.state !== 'done' || usable) return recorded.reason;
  const known = Object.keys(recorded.metrics).join(', ');
  return metric in recorded.metrics
    ? `Its ${metric} is not a finite number.`
    : `It has no ${metric}; its metrics are ${known || 'none'}.`;
};
