import { compareRuns, type Comparison } from '../report/compare.ts';
import { filterRuns } from '../report/filter.ts';
import type { Plan } from '../plan/plan.ts';
import { listRuns } from '../record/read-runs.ts';
import { listSweeps } from '../record/read-sweeps.ts';
import { UnrollError, unwrap } from './error.ts';

export interface CompareSettings {
  /** Where runs are recorded; `runs` by default. */
  readonly runsDirectory?: string;
  /** One row for all runs that agree in these settings, such as `model.name`. */
  readonly groupBy?: readonly string[];
  /** Only runs such as `model.hiddenSize>=64`, `seed=1`, `state=done`. */
  readonly filter?: readonly string[];
}

/** See `compare` in `src/index.ts`. */
export const compare = (
  what: Plan | string,
  { runsDirectory = 'runs', groupBy, filter }: CompareSettings = {},
): Comparison => {
  const plan = typeof what === 'string' ? lastPlan(what, runsDirectory) : what;
  const { experiment, objective, axes, runs: planned } = plan;
  const ids = new Set(planned.map(({ id }) => id));
  const { runs: recorded } = listRuns(runsDirectory, { experiment });
  const runs = filter
    ? unwrap(
        filterRuns(
          recorded.filter(({ run }) => ids.has(run.id)),
          filter,
        ),
      )
    : recorded;
  return compareRuns(runs, {
    objective,
    axes,
    // What is filtered out must not come back as a run that never began.
    ...(!filter && { planned }),
    ...(groupBy && { groupBy }),
  });
};

const lastPlan = (experiment: string, runsDirectory: string): Plan => {
  const found = listSweeps(runsDirectory).sweeps.find(({ plan }) => plan.experiment === experiment);
  if (found) return found.plan;
  throw new UnrollError([
    {
      code: 'unknown-name',
      severity: 'error',
      message: `Nothing is recorded as ${JSON.stringify(experiment)} in ${runsDirectory}.`,
      help: 'Run it first, or name another runsDirectory.',
    },
  ]);
};
