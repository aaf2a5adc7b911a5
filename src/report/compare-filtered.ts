import { type Result, success } from '../diagnostic/diagnostic.ts';
import type { RecordedRun } from '../record/run-state.ts';
import { type ChosenSweeps, compareSweeps } from './chosen-sweeps.ts';
import type { Comparison } from './compare.ts';
import { type ConditionPlace, filterRuns, settingPaths } from './filter.ts';

/** Compares recorded runs of sweeps, or those of them that fit all conditions of `filter`. */
export const compareFiltered = (
  chosen: ChosenSweeps,
  recorded: readonly RecordedRun[],
  {
    groupBy: names,
    filter,
    place,
  }: {
    readonly groupBy: readonly string[] | undefined;
    readonly filter: readonly string[] | undefined;
    /** Where `filter` is written, if that is a command line. */
    readonly place?: ConditionPlace;
  },
): Result<Comparison> => {
  const runs = [...chosen.sweeps.flatMap(({ plan }) => plan.runs), ...recorded.map(({ run }) => run)];
  const paths = names && settingPaths(runs, names);
  if (paths?.ok === false) return paths;
  const groupBy = paths?.value;
  if (!filter) return success(compareSweeps(chosen, recorded, { groupBy }));
  const kept = filterRuns(recorded, filter, place);
  // What is filtered out must not come back as a run that never began.
  return kept.ok ? success(compareSweeps(chosen, kept.value, { groupBy, recordedOnly: true })) : kept;
};
