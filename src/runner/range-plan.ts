import type { TrainConfig } from '../language/config.ts';
import type { Plan, Run } from '../plan/plan.ts';
import { runIdOf } from '../plan/run-identity.ts';
import { sweepIdOf } from '../plan/plan-experiment.ts';

/** A learning-rate range test: from the lowest rate to the highest in this many steps. */
export interface Range {
  readonly from: number;
  readonly to: number;
  readonly steps: number;
}

type Writable<T> = { -readonly [Key in keyof T]: T[Key] };

/** A `train` section without what would end the test early, evaluate in between, or record what nobody reads. */
const trainOnly = (train: TrainConfig): TrainConfig => {
  const kept: Writable<TrainConfig> = { ...train };
  delete kept.stopOn;
  delete kept.predictions;
  delete kept.accuracyFirst128;
  delete kept.ema;
  return kept;
};

/** The plan of a range test of one of a plan's runs: a short training whose learning rate rises exponentially. */
export const rangePlan = (plan: Plan, run: Run, { from, to, steps }: Range): Plan => {
  const { train, optimizer, ...sections } = run.config;
  const config: Run['config'] = {
    ...sections,
    optimizer: {
      ...optimizer,
      learningRate: from,
      // No spec may write such a factor: it is the whole rise, over all steps but the first.
      schedule: {
        ...{ name: 'exponential', factor: to / from, everySteps: steps - 1 },
        ...{ finalFactor: null, warmupSteps: 0 },
      },
    },
    train: {
      ...trainOnly(train),
      ...{ steps, epochs: null, trainingIters: null, displayEvery: 1 },
      ...{
        evaluateEvery: null,
        checkpointEvery: null,
        keepCheckpoints: 'last',
        earlyStopping: null,
      },
    },
  };
  const changed: Run = { ...run, config, varying: {} };
  const tested: Run = { ...changed, id: runIdOf(changed) };
  const execution = { ...plan.execution, concurrency: 1 };
  // A single run needs no measurement of threads, and has no cores to lend.
  delete execution.automatic;
  delete execution.cores;
  const { experiment, objective, spec, config: code, data } = plan;
  return {
    experiment,
    sweepId: sweepIdOf([tested], undefined),
    objective,
    execution,
    axes: [],
    runs: [tested],
    tracking: {},
    expect: [],
    ...(code !== undefined && { config: code }),
    ...(data && { data }),
    spec,
  };
};
