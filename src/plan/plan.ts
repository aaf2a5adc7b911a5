import type { DataDescription } from '../data/description.ts';
import type {
  Execution,
  Expectation,
  MlflowSettings,
  NamedSection,
  Objective,
  RunConfig,
} from '../language/config.ts';
import type { SearchRules } from '../search/decide.ts';
import type { Json } from '../system/json.ts';

export { dataDescriptionSchema } from '../data/description.ts';
export type { DataDescription };

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
  /** SHA-256 of the modules of the entries that the user's config defines; absent if all entries come with Unroll. */
  readonly code?: CodeDigests;
  /** The values in which this run differs from its sweep's other runs, by path: `model.hiddenSize`. */
  readonly varying: Readonly<Record<string, Json>>;
}

/** How a sweep that decides by results goes on; part of the frozen plan, so that a resumed sweep decides the same. */
export interface Search extends SearchRules {
  /** How further points are proposed; null where all are known from the start. */
  readonly sampler: Sampler | null;
}

export interface Sampler {
  readonly method: 'tpe';
  /** Where the points of the plan lie in the space, in the order of their configurations. */
  readonly coordinates: readonly (readonly (number | null)[])[];
  /** The spec with all that it extends and what the command line changed: what a new point is resolved by. */
  readonly spec: Json;
}

/** The dataset of some of a plan's runs, and what it holds. */
export interface PlannedData {
  readonly dataset: NamedSection;
  readonly description: DataDescription;
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
  /** The config that registers the user's own entries, as a path from the folder of the spec; absent without one. */
  readonly config?: string;
  /** What the data is: one entry for each different dataset section. Plans of earlier versions have none. */
  readonly data?: readonly PlannedData[];
  /** The spec as it was written. */
  readonly spec: { readonly path: string; readonly text: string };
}
