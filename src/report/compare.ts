import type { Objective } from '../language/config.ts';
import { originOf } from '../plan/origin.ts';
import { foldOf, runKey, type Run } from '../plan/plan.ts';
import { scoredData, scoredKey } from '../plan/scored-data.ts';
import type { Json } from '../system/json.ts';
import { type RecordedRun, type RunState, runStates } from '../record/run-state.ts';
import { rangeOf } from '../metrics/metrics.ts';
import { type Difference, difference, type Summary, summarize } from './statistics.ts';
import { type Majority, majorityOf } from './majority.ts';
import { compareWithBest, seedsToSeparate, type Verdict } from './ties.ts';
import { settingsOf, differingPaths } from './varying.ts';

/** One run in a comparison. */
export interface ComparedRun {
  readonly id: string;
  readonly seed: number;
  /** The fold of its data; null where that has none. */
  readonly fold: number | null;
  readonly state: RunState;
  /** Why it is in that state; empty when there is nothing to add. */
  readonly reason: string;
  /** The objective at the end; null without a finite one. */
  readonly value: number | null;
  readonly step: number;
  readonly elapsedMs: number;
  readonly directory: string | null;
  /** What it builds on, in words; absent where it began with drawn weights at step 0. */
  readonly origin?: readonly string[];
}

/** Runs that differ only by fold and seed, or that share the settings one groups by. */
export interface ComparedConfiguration {
  /** 1 for the best of its group; null without a result. */
  readonly rank: number | null;
  readonly best: boolean;
  /** Whether the verdict is `tied`. */
  readonly tied: boolean;
  /** Against the best of its group, see ties.ts; null for the best itself and without a result. */
  readonly verdict: Verdict | null;
  /** The p-value of the difference to the best, corrected for the number of comparisons in the group. */
  readonly correctedPValue: number | null;
  /** Index of the group of configurations that it is ranked with. */
  readonly group: number;
  readonly experiment: string;
  /** Ids of the compared sweeps that contain it, the newest first; empty where sweeps were not given. */
  readonly sweeps: readonly string[];
  /** The varying settings by path. A setting that these runs do not have is absent. */
  readonly values: Readonly<Record<string, Json>>;
  /** The objective over the runs that are done. */
  readonly objective: Summary | null;
  /** This configuration's objective minus the best one's; null for the best itself. */
  readonly difference: Difference | null;
  /** Every other metric at the end, over the runs that are done. */
  readonly metrics: Readonly<Record<string, Summary>>;
  /** In the order of the folds and seeds. */
  readonly runs: readonly ComparedRun[];
}

/** Configurations whose scores can be compared: one objective, and the same question asked of the data. */
export interface ComparisonGroup {
  readonly objective: Objective;
  /** What sets this group apart from the others, such as `dataset.name`; empty where there is one group. */
  readonly values: Readonly<Record<string, Json>>;
  /** How many seeds would separate the first two, see `seedsToSeparate`. */
  readonly seedsToSeparate: number | null;
  /** What always answering the most frequent class would score; null where the task has no classes. */
  readonly majority: Majority | null;
}

/** A sweep that is part of a comparison. */
export interface ComparedSweep {
  readonly id: string;
  readonly experiment: string;
  /** When its plan was frozen, in milliseconds since 1970; null for a plan that is not recorded. */
  readonly frozenAt: number | null;
}

/** A comparison as data: what the table, CSV and JSON are made of. */
export interface Comparison {
  /** The names of the experiments, joined by `, ` where there are several. */
  readonly experiment: string;
  readonly experiments: readonly string[];
  /** The sweeps that are shown, the newest first; empty where runs were compared without their sweeps. */
  readonly sweeps: readonly ComparedSweep[];
  /** How many more sweeps of these experiments are recorded. */
  readonly otherSweeps: number;
  /** The objective of the first group. */
  readonly objective: Objective;
  /** At least one. Ranks start anew in each. */
  readonly groups: readonly ComparisonGroup[];
  /** Paths of the varying settings, without fold and seed. */
  readonly axes: readonly string[];
  readonly seeds: readonly number[];
  /** Empty where no data is cut into folds. */
  readonly folds: readonly number[];
  /** True when runs were grouped by chosen settings instead of by configuration. */
  readonly grouped: boolean;
  readonly counts: Readonly<Record<RunState, number>>;
  /** By group, the best first; configurations without a result last, in the order of the plan. */
  readonly configurations: readonly ComparedConfiguration[];
}

export interface CompareOptions {
  readonly objective: Objective;
  /** Of experiments with a different objective. */
  readonly objectives?: ReadonlyMap<string, Objective>;
  /** The plan's runs, so that those that never began are shown too; the recorded ones alone by default. */
  readonly planned?: readonly Run[];
  /** The plan's axes, for the order of columns. */
  readonly axes?: readonly string[];
  /** Paths to group by instead of by configuration: runs that agree in these are replicates of each other. */
  readonly groupBy?: readonly string[];
  /** The sweeps that the runs come from, the newest first. */
  readonly sweeps?: readonly (ComparedSweep & { readonly runIds: ReadonlySet<string> })[];
  readonly otherSweeps?: number;
}

/** Puts runs side by side: configurations, statistics over seeds, rank by the objective. */
export const compareRuns = (recorded: readonly RecordedRun[], options: CompareOptions): Comparison => {
  const { planned, groupBy, sweeps = [] } = options;
  const byKey = new Map(recorded.map((one) => [runKey(one.run), one]));
  const runs = planned ?? recorded.map((one) => one.run);
  const { flatOf, varying } = settingsOf(runs, options.axes);
  const axes = groupBy ?? varying;
  const objectiveOf = ({ experiment }: Run) => options.objectives?.get(experiment) ?? options.objective;

  const drafts = new Map<
    string,
    { readonly scores: string; readonly first: Run; readonly members: Member[] }
  >();
  for (const run of runs) {
    const flat = withReplicate(flatOf(run), run, groupBy);
    const scores = JSON.stringify([objectiveOf(run), scoredKey(run)]);
    const settings = groupBy ? groupBy.map((path) => flat.get(path) ?? null) : run.cell;
    const key = JSON.stringify([run.experiment, scores, settings]);
    const others = varying.filter((path) => !axes.includes(path)).map((path) => flat.get(path) ?? null);
    const member = {
      run,
      flat,
      pair: JSON.stringify([run.seed, foldOf(run) ?? null, ...others]),
      recorded: byKey.get(runKey(run)),
    };
    const draft = drafts.get(key);
    if (draft) draft.members.push(member);
    else drafts.set(key, { scores, first: run, members: [member] });
  }

  const kinds = new Map<string, Run>();
  for (const { scores, first } of drafts.values()) if (!kinds.has(scores)) kinds.set(scores, first);
  const apart = settingsApart([...kinds.values()]);
  const ranked = [...kinds].map(([scores, first], group) => {
    const objective = objectiveOf(first);
    const list = [...drafts.values()]
      .filter((draft) => draft.scores === scores)
      .map(({ members }) => draftConfiguration(members, axes, objective));
    const { configurations, seedsToSeparate: seeds } = rankGroup(list, { objective, group, sweeps });
    const scored = [...drafts.values()]
      .filter((draft) => draft.scores === scores)
      .flatMap(({ members }) => members.flatMap((member) => member.recorded ?? []));
    const majority = majorityOf(scored, objective.metric);
    return {
      group: { objective, values: apart[group] ?? {}, seedsToSeparate: seeds, majority },
      configurations,
    };
  });

  const states = runs.map((run) => byKey.get(runKey(run))?.state ?? 'new');
  const experiments = [...new Set(runs.map((run) => run.experiment))];
  const [first] = ranked;
  return {
    experiment: experiments.join(', '),
    experiments,
    sweeps: sweeps.map(({ id, experiment, frozenAt }) => ({ id, experiment, frozenAt })),
    otherSweeps: options.otherSweeps ?? 0,
    objective: first?.group.objective ?? options.objective,
    groups: first
      ? ranked.map(({ group }) => group)
      : [{ objective: options.objective, values: {}, seedsToSeparate: null, majority: null }],
    axes,
    seeds: distinct(runs.map((run) => run.seed)),
    folds: distinct(runs.flatMap((run) => foldOf(run) ?? [])),
    grouped: groupBy !== undefined,
    counts: Object.fromEntries(
      runStates.map((state) => [state, states.filter((one) => one === state).length]),
    ) as Record<RunState, number>,
    configurations: ranked.flatMap(({ configurations }) => configurations),
  };
};

/** The settings of a run, with its seed and fold where one groups by them. */
const withReplicate = (
  flat: ReadonlyMap<string, Json>,
  run: Run,
  groupBy: readonly string[] = [],
): ReadonlyMap<string, Json> => {
  const fold = foldOf(run);
  const own = (
    [
      ['seed', run.seed],
      ['dataset.fold', fold],
    ] as const
  ).flatMap(([path, value]) =>
    value !== undefined && groupBy.includes(path) ? [[path, value] as const] : [],
  );
  // Runs of a configuration share their settings, which may be thousands.
  return own.length === 0 ? flat : new Map<string, Json>([...flat, ...own]);
};

/** Each number once, in rising order. */
const distinct = (numbers: readonly number[]): number[] => [...new Set(numbers)].sort((a, b) => a - b);

/** In which of the settings that decide what is scored the groups differ, for each of them. */
const settingsApart = (firsts: readonly Run[]): Readonly<Record<string, Json>>[] => {
  const scored = firsts.map((run) => new Map(Object.entries(scoredData(run))));
  // What only some have sets them apart, too: `scoredData` leaves out what is not set.
  const paths = differingPaths(scored, [], new Set(scored.flatMap((one) => [...one.keys()])));
  const named = paths.includes('dataset.name') ? ['dataset.name'] : paths;
  return scored.map((one) =>
    Object.fromEntries(
      // Other datasets have other settings altogether: the name is enough.
      named.map((path) => [path, one.get(path) ?? null]),
    ),
  );
};

type Draft = ReturnType<typeof draftConfiguration>;

/** Ranks configurations whose scores can be compared. */
const rankGroup = (
  drafts: readonly Draft[],
  {
    objective,
    group,
    sweeps,
  }: {
    readonly objective: Objective;
    readonly group: number;
    readonly sweeps: NonNullable<CompareOptions['sweeps']>;
  },
) => {
  const sign = objective.goal === 'maximize' ? -1 : 1;
  const ranked = drafts
    .filter((draft) => draft.objective !== null)
    .sort((a, b) => sign * ((a.objective?.mean ?? 0) - (b.objective?.mean ?? 0)));
  const [best, ...others] = ranked;
  const range = rangeOf(objective.metric);
  const gaps = best ? others.map((draft) => difference(draft.byPair, best.byPair, range)) : [];
  const values = ranked.flatMap((draft) => [...draft.byPair.values()]);
  const verdicts = compareWithBest(gaps, Math.max(...values) - Math.min(...values));
  const configurationOf = (draft: Draft, rank: number | null): ComparedConfiguration => {
    const verdict = rank === null ? undefined : verdicts[rank - 2];
    return {
      rank,
      best: draft === best,
      tied: verdict?.verdict === 'tied',
      verdict: verdict?.verdict ?? null,
      correctedPValue: verdict?.correctedPValue ?? null,
      group,
      experiment: draft.experiment,
      sweeps: sweeps
        .filter(
          (sweep) =>
            sweep.experiment === draft.experiment && draft.runs.some(({ id }) => sweep.runIds.has(id)),
        )
        .map(({ id }) => id),
      values: draft.values,
      objective: draft.objective,
      difference: rank === null ? null : (gaps[rank - 2] ?? null),
      metrics: draft.metrics,
      runs: draft.runs,
    };
  };
  return {
    configurations: [
      ...ranked.map((draft, index) => configurationOf(draft, index + 1)),
      ...drafts.filter((draft) => draft.objective === null).map((draft) => configurationOf(draft, null)),
    ],
    seedsToSeparate: verdicts[0]?.verdict === 'separated' ? null : seedsToSeparate(gaps),
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
    const origin = originOf(recorded?.run ?? run);
    return {
      id: run.id,
      seed: run.seed,
      fold: foldOf(run) ?? null,
      state: recorded?.state ?? 'new',
      reason: reasonFor(recorded, objective.metric, usable),
      value: usable ? value : null,
      step: recorded?.status?.outcome?.step ?? 0,
      elapsedMs: recorded?.status?.outcome?.elapsedMs ?? 0,
      directory: recorded?.directory ?? null,
      ...(origin.length > 0 && { origin }),
    };
  });
  const flat = members[0]?.flat;
  const present = axes.flatMap((path): [string, Json][] => {
    const value = flat?.get(path);
    return value === undefined ? [] : [[path, value]];
  });
  const values = [...byPair.values()];
  return {
    experiment: members[0]?.run.experiment ?? '',
    values: Object.fromEntries(present),
    byPair,
    objective: values.length > 0 ? summarize(values, rangeOf(objective.metric)) : null,
    metrics: Object.fromEntries([...metrics].map(([name, list]) => [name, summarize(list, rangeOf(name))])),
    runs: runs.sort((a, b) => (a.fold ?? 0) - (b.fold ?? 0) || a.seed - b.seed),
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
