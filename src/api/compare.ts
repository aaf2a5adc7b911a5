import type { Plan } from '../plan/plan.ts';
import { chooseSweeps, type ChosenSweeps, runsOfSweeps } from '../report/chosen-sweeps.ts';
import { compareFiltered } from '../report/compare-filtered.ts';
import type { Comparison } from '../report/compare.ts';
import { unwrap } from './error.ts';

export interface CompareSettings {
  /** Where runs are recorded; `runs` by default. */
  readonly runsDirectory?: string;
  /** The first letters of the ids of sweeps to compare, instead of the latest of each experiment. */
  readonly sweeps?: readonly string[];
  /** Compares every sweep of the named experiments instead of the latest; false by default. */
  readonly all?: boolean;
  /** One row for all runs that agree in these settings, such as `model.name`. */
  readonly groupBy?: readonly string[];
  /** Only runs such as `model.hiddenSize>=64`, `seed=1`, `state=done`. */
  readonly filter?: readonly string[];
}

/** See `compare` in `src/index.ts`. */
export const compare = (
  what: Plan | string | readonly (Plan | string)[],
  { runsDirectory = 'runs', sweeps = [], all = false, groupBy, filter }: CompareSettings = {},
): Comparison => {
  const given: readonly (Plan | string)[] = typeof what === 'string' || 'sweepId' in what ? [what] : what;
  const names = given.filter((one) => typeof one === 'string');
  const plans = given.filter((one) => typeof one !== 'string');
  const recorded =
    names.length > 0 || sweeps.length > 0 || plans.length === 0
      ? unwrap(chooseSweeps(runsDirectory, { names, sweepIds: sweeps, all }))
      : { sweeps: [], otherSweeps: 0 };
  const chosen: ChosenSweeps = {
    sweeps: [...plans.map((plan) => ({ plan, frozenAt: null })), ...recorded.sweeps],
    otherSweeps: recorded.otherSweeps,
  };
  return unwrap(compareFiltered(chosen, runsOfSweeps(chosen, runsDirectory).runs, { groupBy, filter }));
};
