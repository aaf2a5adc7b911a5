import type { Json } from '../system/json.ts';
import type { ComparedConfiguration, ComparedRun, Comparison, ComparisonGroup } from './compare.ts';

/** A comparison as a flat table for other programs: a row for each run, in the order of the comparison. */
export interface ComparisonRows {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly Json[])[];
}

type Field = (
  configuration: ComparedConfiguration,
  run: ComparedRun,
  group: ComparisonGroup,
) => Json | undefined;

/**
 * A row's run first, then its configuration: mean, sample standard deviation and 95% interval of the objective over
 * seeds, and the difference to the best configuration with its interval and test. Experiment and sweep are named where
 * sweeps are compared; groups of scores that cannot be compared are numbered where there are several.
 */
export const comparisonRows = (comparison: Comparison): ComparisonRows => {
  const { axes, configurations, groups, sweeps } = comparison;
  const several = new Set(groups.map(({ objective }) => objective.metric)).size > 1;
  const fields: [string, Field][] = [
    ...(sweeps.length > 0
      ? ([
          ['experiment', (one) => one.experiment],
          ['sweep', (one) => one.sweeps.join(' ')],
        ] satisfies [string, Field][])
      : []),
    ...(groups.length > 1 ? ([['group', (one) => one.group + 1]] satisfies [string, Field][]) : []),
    ['rank', (one) => one.rank],
    ['best', (one) => one.best],
    ['tied', (one) => one.tied],
    ...axes.map((path): [string, Field] => [path, (one) => one.values[path]]),
    ...(comparison.folds.length > 0 ? ([['fold', (_one, run) => run.fold]] satisfies [string, Field][]) : []),
    ['seed', (_, run) => run.seed],
    ...(several
      ? ([['metric', (_one, _run, group) => group.objective.metric]] satisfies [string, Field][])
      : []),
    [several ? 'value' : comparison.objective.metric, (_, run) => run.value],
    ['state', (_, run) => run.state],
    ['reason', (_, run) => run.reason],
    ['steps', (_, run) => run.step],
    ['seconds', (_, run) => run.elapsedMs / 1000],
    ['run', (_, run) => run.id],
    ['mean', ({ objective }) => objective?.mean],
    ['standardDeviation', ({ objective }) => objective?.standardDeviation],
    ['intervalLow', ({ objective }) => objective?.interval?.[0]],
    ['intervalHigh', ({ objective }) => objective?.interval?.[1]],
    ['difference', ({ difference }) => difference?.mean],
    ['differenceLow', ({ difference }) => difference?.interval?.[0]],
    ['differenceHigh', ({ difference }) => difference?.interval?.[1]],
    ['differenceKind', ({ difference }) => difference?.kind],
    ['verdict', ({ verdict }) => verdict],
    ['correctedPValue', ({ correctedPValue }) => correctedPValue],
    ...(groups.some(({ majority }) => majority)
      ? ([
          ['majorityClass', (_one, _run, { majority }) => majority?.label ?? undefined],
          ['majorityShare', (_one, _run, { majority }) => majority?.share],
        ] satisfies [string, Field][])
      : []),
  ];
  return {
    columns: fields.map(([name]) => name),
    rows: configurations.flatMap((configuration) => {
      const group = groups[configuration.group];
      if (!group) throw new Error('A configuration belongs to a group of its comparison.');
      return configuration.runs.map((run) =>
        fields.map(([, field]): Json => field(configuration, run, group) ?? null),
      );
    }),
  };
};
