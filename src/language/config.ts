import type { Json } from '../system/json.ts';
import type { ArtifactGroup } from './artifact-groups.ts';
import type { TrainConfig } from './train-section.ts';

export type { Objective } from './goal.ts';
export type { EarlyStopping, TrainConfig } from './train-section.ts';

/** A registry row chosen by `name`, with every parameter resolved. */
export interface NamedSection {
  readonly name: string;
  readonly [parameter: string]: Json;
}

/** Everything that decides a run's numbers, apart from its seed. */
// A type, not an interface: only a type is assignable to Json.
export type RunConfig = {
  readonly dataset: NamedSection;
  readonly model: NamedSection;
  readonly optimizer: NamedSection;
  readonly train: TrainConfig;
};

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

export interface MlflowSettings {
  readonly uri?: string;
  readonly experiment?: string;
  readonly tags?: Readonly<Record<string, string>>;
  readonly artifacts?: readonly ArtifactGroup[];
  readonly everySeconds?: number;
}
