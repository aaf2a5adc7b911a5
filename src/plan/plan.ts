import type { ArtifactGroup } from '../language/artifact-groups.ts';

/** Any JSON value, deeply readonly. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** A registry row chosen by `name`, with every parameter resolved. */
export interface NamedSection {
  readonly name: string;
  readonly [parameter: string]: Json;
}

/** How long and how a run trains, every default resolved. Exactly one of the three ends is a number. */
export interface TrainConfig {
  readonly batchSize: number;
  /** Training goes on while `step * batchSize < trainingIters`, counting steps from 1. */
  readonly trainingIters: number | null;
  readonly epochs: number | null;
  readonly steps: number | null;
  /** Steps between recorded minibatch metrics. */
  readonly displayEvery: number;
  readonly shuffle: boolean;
  readonly lastBatch: 'keep' | 'drop' | 'wrap';
  /** Steps between evaluations on the validation split; null for none. */
  readonly evaluateEvery: number | null;
  /** Steps between checkpoints; null for one at least every half minute. */
  readonly checkpointEvery: number | null;
  /** Which checkpoints stay beside the one that a stopped training goes on from. */
  readonly keepCheckpoints: 'last' | 'best' | 'all';
  readonly earlyStopping: EarlyStopping | null;
  /** Ends the run as diverged; absent where a spec says nothing of it. */
  readonly stopOn?: { readonly lossAbove: number };
  readonly truncation: { readonly steps: number; readonly style: 'chunked' | 'true' } | null;
}

/** Ends a training that has stopped getting better on a metric of the validation split. */
export interface EarlyStopping {
  /** Such as `val/loss`. */
  readonly metric: string;
  readonly goal: 'maximize' | 'minimize';
  /** Evaluations without improvement before the training ends. */
  readonly patience: number;
  /** The least change that counts as an improvement. */
  readonly minDelta: number;
  /** Whether the weights of the best evaluation are taken at the end. */
  readonly restoreBest: boolean;
}

/** Everything that decides a run's numbers, apart from its seed. */
export interface RunConfig {
  readonly dataset: NamedSection;
  readonly model: NamedSection;
  readonly optimizer: NamedSection;
  readonly train: TrainConfig;
}

/** By section of a spec: hex SHA-256 of the module of its row. */
export type CodeDigests = Readonly<Partial<Record<'dataset' | 'model' | 'optimizer', string>>>;

/** One training: a fully resolved configuration and one seed. */
export interface Run {
  /** 12 hex digits of the SHA-256 of the canonical JSON of configuration, dataset digest, seed and row versions. */
  readonly id: string;
  /** The same hash without the seed: runs of one configuration share it. */
  readonly cell: string;
  readonly experiment: string;
  readonly seed: number;
  readonly config: RunConfig;
  readonly datasetDigest: string;
  /** Versions of the registry rows and of the trainer. */
  readonly versions: Readonly<Record<'dataset' | 'model' | 'optimizer' | 'trainer', number>>;
  /** SHA-256 of the modules of the rows that a person's config defines; absent where all rows come with Unroll. */
  readonly code?: CodeDigests;
  /** The values in which this run differs from its sweep's other runs, by path: `model.hiddenSize`. */
  readonly varying: Readonly<Record<string, Json>>;
}

/** How a sweep that decides by results goes on; part of the frozen plan, so that a resumed sweep decides the same. */
export interface Search {
  /** How many points the sweep has in the end. The plan's runs are those that are known so far. */
  readonly points: number;
  /** Decision n knows the results of the decisions before n - lookahead + 1, whoever else has ended by then. */
  readonly lookahead: number;
  /** How further points are proposed; null where all are known from the start. */
  readonly sampler: Sampler | null;
  /** Which runs are trained to their end; null for all. */
  readonly pruning: Pruning | null;
}

export interface Sampler {
  readonly method: 'tpe';
  /** Where the points of the plan lie in the space, in the order of their configurations. */
  readonly coordinates: readonly (readonly (number | null)[])[];
  /** The spec with all that it extends and what the command line changed: what a new point is resolved by. */
  readonly spec: Json;
}

/** Rules that end runs early. The metric is one of the validation split, at the steps that the rule names. */
export type Pruning = {
  readonly metric: string;
  readonly goal: 'maximize' | 'minimize';
  /** The first step at which runs are compared. */
  readonly minSteps: number;
} & (
  | {
      readonly name: 'asha';
      /** One run in so many goes on, to so many times the steps. */
      readonly reductionFactor: number;
    }
  | {
      readonly name: 'median';
      /** Steps between two comparisons. */
      readonly everySteps: number;
      /** No run is ended before so many are trained to their end. */
      readonly minRuns: number;
    }
);

export interface Objective {
  readonly metric: string;
  readonly goal: 'maximize' | 'minimize';
}

/** Ends of a run that may go better at another try. A NaN loss or a mistake in the data comes back every time. */
export const retryReasons = ['crashed', 'out-of-memory', 'timed-out'] as const;

export type RetryReason = (typeof retryReasons)[number];

/** How the runs are executed; decides how fast, and the last bits through threads and kernels, so it is frozen. */
export interface Execution {
  readonly concurrency: number;
  readonly threadsPerRun: number;
  /** Until the plan is frozen: the spec leaves the threads to us, and a measurement may better the arithmetic. */
  readonly automatic?: true;
  /** All cores, where the spec leaves concurrency and threads to us: what the runs leave of them is lent to them. */
  readonly cores?: number;
  /** The kernel of each kind of work that has a choice, once the plan is frozen. */
  readonly kernels?: Readonly<Record<string, string>>;
  readonly retries: number;
  /** Ends after which a run is tried again; a crash and lack of memory where absent. */
  readonly retryOn?: readonly RetryReason[];
  readonly timeoutMs: number | null;
  /** What the sweep may cost: milliseconds of one call, and runs that are ever begun. */
  readonly budget?: { readonly timeMs: number | null; readonly runs: number | null };
  readonly onError: 'continue' | 'stop';
}

/** What every finished run must reach. */
export interface Expectation {
  readonly metric: string;
  /** An experiment or the beginning of a run's id: the bounds are then those of the difference to it. */
  readonly baseline?: string;
  readonly gte?: number;
  readonly lte?: number;
}

/** What a spec unrolls into. */
export interface Plan {
  readonly experiment: string;
  /** 12 hex digits of the SHA-256 of the run ids in order. */
  readonly sweepId: string;
  readonly objective: Objective;
  readonly execution: Execution;
  /** Paths that vary, in the order of the file; `seed` last when there are several. */
  readonly axes: readonly string[];
  readonly runs: readonly Run[];
  /** Absent where every run is trained to its end whatever the others came to. */
  readonly search?: Search;
  readonly tracking: { readonly mlflow?: MlflowSettings };
  readonly expect: readonly Expectation[];
  /** The config that registers rows of a person's own, as a path from the folder of the spec; absent without one. */
  readonly config?: string;
  /** The spec as it was written. */
  readonly spec: { readonly path: string; readonly text: string };
}

export interface MlflowSettings {
  readonly uri?: string;
  readonly experiment?: string;
  readonly tags?: Readonly<Record<string, string>>;
  readonly artifacts?: readonly ArtifactGroup[];
  readonly everySeconds?: number;
}
