import { success, type Result } from '../diagnostic/diagnostic.ts';
import { coreCount } from '../record/environment.ts';
import { planExperiment } from '../plan/plan-experiment.ts';
import type { Plan } from '../plan/plan.ts';
import { weightsFinder } from '../report/find-weights.ts';
import { usualRunsDirectory } from '../system/proposed-command.ts';
import { showReading } from './reading-progress.ts';
import { readSpecOptions, type GivenSpecOptions } from './spec-options.ts';

/** The plan of a spec as the command line changes it; shows how far large data files are read. */
export const planSpec = async (
  path: string,
  options: GivenSpecOptions & { readonly runsDirectory?: string },
): Promise<Result<Plan>> => {
  const reading = showReading(process.stderr);
  try {
    const { listen } = reading;
    const { runsDirectory } = options;
    const findWeights = weightsFinder(runsDirectory ?? usualRunsDirectory);
    const set = { ...readSpecOptions(options), cores: coreCount(), reading: listen, findWeights };
    const plan = await planExperiment(path, set);
    if (!plan.ok || runsDirectory === undefined) return plan;
    const { withContinuations, withEarlierIds } = await import('../runner/continuations.ts');
    const continued = withContinuations(withEarlierIds(plan.value, runsDirectory), runsDirectory);
    return continued.ok ? success(continued.value, [...plan.notices, ...continued.notices]) : continued;
  } finally {
    reading.end();
  }
};
