import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Plan } from '../src/plan/plan.ts';
import { planExperiment } from '../src/plan/plan-experiment.ts';
import { writeSweep } from '../test/support/run-directories.ts';

/** What a sweep of finished runs looks like: learning rates by hidden sizes, with seeds. */
export interface FinishedSweep {
  readonly learningRates: number;
  readonly hiddenSizes: readonly number[];
  readonly seeds: number;
  /** Whether each run has its curves, checkpoints and evaluation. */
  readonly detail: boolean;
}

/** Writes `spec.yaml` and the records of a sweep called `many` that nobody trained into a folder. */
export const writeFinishedSweep = async (
  folder: string,
  { learningRates, hiddenSizes, seeds, detail }: FinishedSweep,
): Promise<Plan> => {
  const spec = join(folder, 'spec.yaml');
  writeFileSync(
    spec,
    `version: 1
name: many
dataset: { name: toy-sequences }
model: { name: lstm, hiddenSize: 8 }
optimizer: { name: adam }
train: { steps: 1000 }
sweep:
  maxRuns: 1000000
  axes:
    optimizer.learningRate: { log: [1e-4, 1e-1], steps: ${learningRates} }
    model.hiddenSize: [${hiddenSizes.join(', ')}]
seeds: ${seeds}
`,
  );
  const planned = await planExperiment(spec, { cores: 2 });
  if (!planned.ok) throw new Error(JSON.stringify(planned.errors));
  writeSweep(join(folder, 'runs'), planned.value, () => ({ detail }));
  return planned.value;
};
