import { Type } from '@sinclair/typebox';
import { dataDescriptionSchema } from '../data/description.ts';
import {
  executionSchema,
  recordedExpectationSchema,
  recordedTrackingSchema,
  runConfigSchema,
} from '../language/config.ts';
import { resolvedObjectiveSchema } from '../language/goal.ts';
import { nameSchema } from '../language/spec-schema.ts';
import { rememberMetrics } from '../metrics/metrics.ts';
import { searchRulesSchema } from '../search/decide.ts';
import { anyJson, oneOf, type Described } from '../system/schema.ts';

export { dataDescriptionSchema } from '../data/description.ts';
export type { DataDescription } from '../data/description.ts';

const bound = Type.Union([Type.Number(), Type.Null()]);

/** Types of plans and runs are those of their schemas, so what is read from a file or a process is checked as what it is used as. */
export const runSchema = Type.Object({
  /** 12 hex digits of the SHA-256 of the canonical JSON of configuration, dataset digest, seed and versions. */
  id: Type.String(),
  /** The same hash without the seed: runs of one configuration share it. */
  cell: Type.String(),
  /** A folder: whoever wrote the record, it leads nowhere else. */
  experiment: Type.String({ pattern: nameSchema.pattern ?? '' }),
  seed: Type.Number(),
  config: runConfigSchema,
  datasetDigest: Type.String(),
  /** Versions of the registry entries and of the trainer. */
  versions: Type.Object({
    dataset: Type.Number(),
    model: Type.Number(),
    optimizer: Type.Number(),
    loss: Type.Optional(Type.Number()),
    trainer: Type.Number(),
  }),
  /** Hex SHA-256 of the modules of the entries that the user's config defines; absent if all entries come with Unroll. */
  code: Type.Optional(
    Type.Object({
      dataset: Type.Optional(Type.String()),
      model: Type.Optional(Type.String()),
      optimizer: Type.Optional(Type.String()),
      loss: Type.Optional(Type.String()),
      /** Of the metrics of the user's config that fit the task, by name. */
      metrics: Type.Optional(Type.Record(Type.String(), Type.String())),
    }),
  ),
  /** The same metrics: their direction, unit, and least and largest value (null where nothing bounds it). */
  ownMetrics: Type.Optional(
    Type.Record(
      Type.String(),
      Type.Object({
        goal: oneOf(['maximize', 'minimize']),
        unit: Type.String(),
        range: Type.Tuple([bound, bound]),
      }),
    ),
  ),
  /** The weights that the training starts from; absent where they are drawn from the seed. */
  start: Type.Optional(
    Type.Object({
      /** Hex SHA-256 of their safetensors file. */
      sha256: Type.String(),
      /** The run whose weights they are, `experiment/id`; absent for the file of no run. */
      run: Type.Optional(Type.String()),
      /** The path of the file from the folder of the spec; absent for a run of the same runs directory. */
      file: Type.Optional(Type.String()),
    }),
  ),
  /** Hex SHA-256 of the pretrained vectors that the model reads; absent where it reads none. */
  vectors: Type.Optional(Type.String()),
  /** The shorter run whose steps it continues; its numbers are those of a training from the start, so it is part of no id. */
  continues: Type.Optional(
    Type.Object({
      /** Id of a run of the same experiment. */
      run: Type.String(),
      /** The last step of that run. */
      step: Type.Number(),
      /** The epochs of that run, if it counts in epochs. */
      epoch: Type.Optional(Type.Number()),
    }),
  ),
  /** The parameters of the dataset that name files, if the dataset is the user's own. */
  files: Type.Optional(Type.Array(Type.String())),
  /** The values in which this run differs from its sweep's other runs, by path: `model.hiddenSize`. */
  varying: Type.Record(Type.String(), anyJson),
});

/** One training: a fully resolved configuration and one seed. */
export type Run = Described<typeof runSchema>;

export type CodeDigests = NonNullable<Run['code']>;

const samplerSchema = Type.Object({
  method: Type.Literal('tpe'),
  /** The place of each of the plan's points in the space, in the order of their configurations. */
  coordinates: Type.Array(Type.Array(Type.Union([Type.Number(), Type.Null()]))),
  /** The spec with all that it extends and what the command line changed: further points are resolved from it. */
  spec: anyJson,
});

const searchSchema = Type.Object({
  ...searchRulesSchema.properties,
  /** How further points are proposed; null if all are known from the start. */
  sampler: Type.Union([samplerSchema, Type.Null()]),
});

/** How a sweep decides by results; part of the frozen plan, so that a resumed sweep decides the same. */
export type Search = Described<typeof searchSchema>;

const plannedDataSchema = Type.Object({
  dataset: runConfigSchema.properties.dataset,
  description: dataDescriptionSchema,
});

/** The dataset of some of a plan's runs, and its description. */
export type PlannedData = Described<typeof plannedDataSchema>;

export const planSchema = Type.Object({
  experiment: Type.String({ pattern: nameSchema.pattern ?? '' }),
  /** 12 hex digits of the SHA-256 of the run ids in order. */
  sweepId: Type.String(),
  objective: resolvedObjectiveSchema,
  execution: executionSchema,
  /** Paths that vary, in the order of the file; `fold` and `seed` last if there are several. */
  axes: Type.Array(Type.String()),
  runs: Type.Array(runSchema),
  /** Absent if every run is trained to its end, whatever the results of the others. */
  search: Type.Optional(searchSchema),
  tracking: recordedTrackingSchema,
  expect: Type.Array(recordedExpectationSchema),
  /** The config that registers the user's own entries, as a path from the folder of the spec; absent without one. */
  config: Type.Optional(Type.String()),
  /** One entry for each different dataset section. Plans of earlier versions have none. */
  data: Type.Optional(Type.Array(plannedDataSchema)),
  /** The spec as it was written. */
  spec: Type.Object({ path: Type.String(), text: Type.String() }),
});

/** Takes over the directions and ranges of the metrics of the user's own that a run measures. */
export const rememberMetricsOf = ({ ownMetrics = {} }: Pick<Run, 'ownMetrics'>): void => {
  rememberMetrics(
    Object.fromEntries(
      Object.entries(ownMetrics).map(
        ([
          name,
          {
            range: [low, high],
            ...facts
          },
        ]) => [name, { ...facts, range: [low ?? -Infinity, high ?? Infinity] }],
      ),
    ),
  );
};

/** What a spec unrolls into. */
export type Plan = Described<typeof planSchema>;

/** The keys of `varying` in which the runs of one configuration differ. */
const replicateKeys: ReadonlySet<string> = new Set(['fold', 'seed']);

/** Whether a path of `varying` only distinguishes the runs of a configuration, and is no setting. */
export const isReplicateKey = (path: string): boolean => replicateKeys.has(path);

/** The fold of a run that is one of several of its configuration. */
export const foldOf = ({ varying }: Pick<Run, 'varying'>): number | undefined => {
  const fold = varying['fold'];
  return typeof fold === 'number' ? fold : undefined;
};

/** Distinguishes the runs of several experiments: two experiments may have runs of the same id. */
export const runKey = ({ experiment, id }: Pick<Run, 'experiment' | 'id'>): string => `${experiment}/${id}`;
