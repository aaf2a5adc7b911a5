import { proposedCommand } from '../system/proposed-command.ts';
import { join } from 'node:path';
import { goalOf } from '../metrics/metrics.ts';
import { type Diagnostic, failure, type Result, success } from '../diagnostic/diagnostic.ts';
import { nearest } from '../diagnostic/nearest.ts';
import type { Expectation } from '../language/config.ts';
import type { Plan } from '../plan/plan.ts';
import { listExperiments, listRuns, readRun } from '../record/read-runs.ts';
import type { RecordedRun } from '../record/run-state.ts';
import { resolveRun } from '../record/resolve-run.ts';

/** The run that an expectation compares with. */
interface Baseline {
  readonly runId: string;
  readonly value: number;
}

/** Baselines by the name that a spec gives them and the metric. */
export type Baselines = ReadonlyMap<string, Baseline>;

export const baselineKey = ({ baseline = '', metric }: Expectation): string =>
  JSON.stringify([baseline, metric]);

/**
 * Looks up the baselines of a plan's expectations: a run by the first letters of its id, or the best finished run of an
 * experiment, the plan's own runs aside. Which is the best follows from the metric.
 */
export const findBaselines = (
  plan: Pick<Plan, 'expect' | 'runs'>,
  runsDirectory: string,
): Result<Baselines> => {
  const errors: Diagnostic[] = [];
  const found = new Map<string, Baseline>();
  const own = new Set(plan.runs.map(({ id }) => id));
  for (const expectation of plan.expect) {
    const { baseline } = expectation;
    if (baseline === undefined || found.has(baselineKey(expectation))) continue;
    const one = findBaseline({ ...expectation, baseline }, { runsDirectory, own });
    if (one.ok) found.set(baselineKey(expectation), one.value);
    else errors.push(...one.errors);
  }
  return errors.length > 0 ? failure(...errors) : success(found);
};

const findBaseline = (
  { baseline, metric }: Expectation & { readonly baseline: string },
  { runsDirectory, own }: { readonly runsDirectory: string; readonly own: ReadonlySet<string> },
): Result<Baseline> => {
  const experiments = listExperiments(runsDirectory);
  const candidates = experiments.includes(baseline)
    ? listRuns(runsDirectory, { experiment: baseline }).runs.filter(({ run }) => !own.has(run.id))
    : oneRun(runsDirectory, baseline);
  const usable = candidates.flatMap(({ run, state, metrics }): Baseline[] => {
    const value = metrics[metric];
    return state === 'done' && value !== undefined && Number.isFinite(value)
      ? [{ runId: run.id, value }]
      : [];
  });
  const better = (a: number, b: number) => (goalOf(metric) === 'minimize' ? a < b : a > b);
  const [first, ...rest] = usable;
  if (first) return success(rest.reduce((best, one) => (better(one.value, best.value) ? one : best), first));
  const near = nearest(baseline, experiments);
  return failure({
    code: 'unknown-run',
    severity: 'error',
    message: `The baseline "${baseline}" of the expectation of ${metric} has no finished run with that metric.`,
    expected: `an experiment or the beginning of a run's id in ${runsDirectory}, done, with ${metric}`,
    got:
      candidates.length > 0
        ? `${candidates.length} recorded, none of them done with ${metric}`
        : 'nothing recorded under that name',
    ...(near !== undefined && candidates.length === 0 && { nearest: near }),
    help: `\`${proposedCommand(['ls'], runsDirectory)}\` shows what is recorded. Train the baseline first, or take the expectation out of the spec.`,
  });
};

const oneRun = (runsDirectory: string, written: string): readonly RecordedRun[] => {
  const directory = resolveRun(runsDirectory, written);
  const run = directory.ok ? readRun(join(directory.value)) : directory;
  return run.ok ? [run.value] : [];
};
