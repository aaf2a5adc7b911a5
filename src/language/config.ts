import { Type } from '@sinclair/typebox';
import type { Json } from '../system/json.ts';
import { anyKeys, oneOf, type Described } from '../system/schema.ts';
import { retryReasons } from './run-section.ts';
import { expectationSchema, mlflowSchema } from './spec-schema.ts';
import { trainConfigSchema } from './train-section.ts';

export type { Objective } from './goal.ts';
export type { EarlyStopping, TrainConfig } from './train-section.ts';

/** A registry entry chosen by `name`, with every parameter resolved. */
export interface NamedSection {
  readonly name: string;
  readonly [parameter: string]: Json;
}

/** The parameters are checked by the entry's own schema when the spec is read. */
const namedSectionSchema = Type.Unsafe<NamedSection>(Type.Object({ name: Type.String() }));

export const runConfigSchema = Type.Object({
  dataset: namedSectionSchema,
  model: namedSectionSchema,
  optimizer: namedSectionSchema,
  /** Absent where the loss is the default of the task. */
  loss: Type.Optional(namedSectionSchema),
  train: trainConfigSchema,
});

/** Everything that decides a run's numbers, apart from its seed. */
export type RunConfig = Described<typeof runConfigSchema>;

const pruned = {
  /** Of the validation split. */
  metric: Type.String(),
  goal: oneOf(['maximize', 'minimize']),
  /** The first step at which runs are compared. */
  minSteps: Type.Number(),
};

export const pruningSchema = Type.Union([
  Type.Object({
    name: Type.Literal('asha'),
    ...pruned,
    /** One run in this many continues, to this many times the steps. */
    reductionFactor: Type.Number(),
  }),
  Type.Object({
    name: Type.Literal('median'),
    ...pruned,
    /** Steps between two comparisons. */
    everySteps: Type.Number(),
    /** No run is ended before this many are trained to their end. */
    minRuns: Type.Number(),
  }),
]);

/** Rules that end runs early. */
export type Pruning = Described<typeof pruningSchema>;

const slurmSettingsSchema = Type.Object({
  partition: Type.Union([Type.String(), Type.Null()]),
  timeMs: Type.Number(),
  memory: Type.Union([Type.String(), Type.Null()]),
  cpusPerRun: Type.Union([Type.Number(), Type.Literal('auto')]),
  runsPerJob: Type.Union([Type.Number(), Type.Literal('auto')]),
  gres: Type.Union([Type.String(), Type.Null()]),
  options: Type.Array(Type.String()),
});

/** What a job of Slurm asks the cluster for. */
export type SlurmSettings = Described<typeof slurmSettingsSchema>;

export const executionSchema = Type.Object({
  concurrency: Type.Number(),
  threadsPerRun: Type.Number(),
  /** Only until the plan is frozen: the spec leaves the threads to us, so a measurement may change them. */
  automatic: Type.Optional(Type.Literal(true)),
  /** All cores, if the spec leaves concurrency and threads to us: cores that no run uses are lent to the active runs. */
  cores: Type.Optional(Type.Number()),
  /** The kernel of each kind of work that has a choice, once the plan is frozen. */
  kernels: Type.Optional(Type.Record(Type.String(), Type.String())),
  retries: Type.Number(),
  /** Outcomes after which a run is retried. Default: a crash and lack of memory. */
  retryOn: Type.Optional(Type.Array(oneOf(retryReasons))),
  timeoutMs: Type.Union([Type.Number(), Type.Null()]),
  /** Limits of the sweep: milliseconds of one call, and runs that are ever started. */
  budget: Type.Optional(
    Type.Object({
      timeMs: Type.Union([Type.Number(), Type.Null()]),
      runs: Type.Union([Type.Number(), Type.Null()]),
    }),
  ),
  onError: oneOf(['continue', 'stop']),
  /** What a Slurm job asks for; absent where the spec leaves it to the defaults. */
  slurm: Type.Optional(slurmSettingsSchema),
});

/** How the runs are executed. Threads and kernels decide the last bits of a result, so a plan freezes them. */
export type Execution = Described<typeof executionSchema>;

export const recordedExpectationSchema = anyKeys(expectationSchema);

/** What every finished run must reach. */
export type Expectation = Described<typeof recordedExpectationSchema>;

export const recordedTrackingSchema = Type.Object({ mlflow: Type.Optional(anyKeys(mlflowSchema)) });

export type MlflowSettings = NonNullable<Described<typeof recordedTrackingSchema>['mlflow']>;
