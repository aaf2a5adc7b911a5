import { join, resolve } from 'node:path';
import { coreCount } from '../record/environment.ts';
import { documentOfText } from '../language/load-spec.ts';
import { planDocument, planExperiment } from '../plan/plan-experiment.ts';
import { specVersion } from '../language/spec-schema.ts';
import type { Plan } from '../plan/plan.ts';
import { stringify } from 'yaml';
import type { Config } from '../registry/own/definitions.ts';
import { weightsFinder } from '../report/find-weights.ts';
import { unwrap } from './error.ts';
import type { Experiment } from './experiment.ts';

export interface PlanSettings {
  /** Where relative paths begin, and `unroll.config.ts` is looked for; the working directory by default. */
  readonly baseDirectory?: string;
  /** Where the runs are recorded that `train.from` names; `runs` by default. */
  readonly runsDirectory?: string;
  /** How many runs train at the same time; decided by the machine's cores by default. */
  readonly concurrency?: number;
  /** More runs than the sweep's `maxRuns` are fine. */
  readonly allowManyRuns?: boolean;
  /** Environment variables that a spec may read under `tracking`, besides those that every spec may. */
  readonly allowVariables?: readonly string[];
}

/** See `plan` in `src/index.ts`. */
export const plan = async <C extends Config>(
  experiment: Experiment<C> | string,
  {
    baseDirectory = '.',
    runsDirectory = 'runs',
    concurrency,
    allowManyRuns = false,
    allowVariables = [],
  }: PlanSettings = {},
): Promise<Plan> => {
  const options = {
    cores: coreCount(),
    allowManyRuns,
    findWeights: weightsFinder(runsDirectory),
    ...(concurrency !== undefined && { concurrency: { runs: concurrency } }),
  };
  if (typeof experiment === 'string')
    return unwrap(await planExperiment(experiment, { ...options, allowVariables }));
  const text = stringify({ version: specVersion, ...experiment });
  const path = join(resolve(baseDirectory), `${experiment.name}.yaml`);
  const document = unwrap(documentOfText({ path, text }));
  return unwrap(await planDocument(document, options));
};
