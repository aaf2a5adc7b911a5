import { Type, type TNumber } from '@sinclair/typebox';
import { baselineSchema } from '../data/forecast-part.ts';
import { preprocessingSchema, tokenizerFile } from '../data/preprocessing.ts';
import { shapeSchema } from '../data/shape-schema.ts';
import { dataDescriptionSchema, runSchema, type DataDescription } from '../plan/plan.ts';
import { anyJson, jsonNumber, parserOf, type Described } from '../system/schema.ts';
import type { RunOutcome } from './events.ts';

/**
 * The files of a run's directory, `runs/<experiment>/<run id>/`. Each is written beside and renamed, except
 * `metrics.jsonl` and `log.txt`, which only grow.
 *
 *     run.json           Run: what the run is
 *     status.json        StatusFile: how far it is, or how it ended
 *     environment.json   EnvironmentFile: where it ran, once an attempt begins
 *     data.json          DataFile: what the data is
 *     metrics.jsonl      MetricLine by MetricLine
 *     log.txt            what a terminal would have shown: one line each `displayEvery` steps, and the child's own output
 *     checkpoints/       last.safetensors, best.safetensors, step-000500.safetensors: weights, optimizer slots and the trainer's state
 *     model/             weights.safetensors, model.json, model.onnx: the trained network; vocabulary.json, tokenizer.json where it reads text
 *     evaluation.json    EvaluationFile: detail of the end evaluation
 *     predictions.parquet   what the network predicts for each sequence of the test part, when that was asked for
 *     profile.json       ProfileFile: where the time of the last attempt went, when that was asked for
 *     plots/             loss.svg, accuracy.svg, ...: the metrics as pictures
 *     system.jsonl       MetricLine by MetricLine: the machine's load, when it is recorded on MLflow
 *     mlflow/            what was sent to which server
 *     taken.json         from which shared store the run was taken, where it was
 *     lock, writer       while it is being trained: which process decides over it, and which one writes it
 *
 * A sweep's frozen plan is in `runs/<experiment>/sweeps/<sweep id>.json`.
 */
export const fileNames = {
  run: 'run.json',
  status: 'status.json',
  environment: 'environment.json',
  data: 'data.json',
  metrics: 'metrics.jsonl',
  log: 'log.txt',
  evaluation: 'evaluation.json',
  predictions: 'predictions.parquet',
  checkpoints: 'checkpoints',
  model: 'model',
  profile: 'profile.json',
  plots: 'plots',
  system: 'system.jsonl',
  mlflow: 'mlflow',
  taken: 'taken.json',
  lock: 'lock',
  writer: 'writer',
} as const;

/** In the folder `checkpoints`: what a resumption and a longer training begin from. */
export const lastCheckpoint = 'last.safetensors';

/** In the folder `model`. */
export const modelFileNames = {
  weights: 'weights.safetensors',
  model: 'model.json',
  onnx: 'model.onnx',
  vocabulary: 'vocabulary.json',
  tokenizer: tokenizerFile,
} as const;

/** Runs of earlier versions have none. */
export type DataFile = DataDescription;

export const parseData = parserOf(dataDescriptionSchema);

const takenSchema = Type.Object({
  /** The address of the store. */
  store: Type.String(),
  /** Milliseconds since 1970. */
  takenAt: Type.Number(),
});

/** Of a run that came from a shared store. */
export type TakenFile = Described<typeof takenSchema>;

export const parseTaken = parserOf(takenSchema);

/** Milliseconds since 1970, within the years of a `Date`. */
const time = Type.Number({ minimum: -8.64e15, maximum: 8.64e15 });

const statusSchema = Type.Object({
  /** `running` is trusted only while the named process lives. */
  state: Type.Union([Type.Literal('running'), Type.Literal('ended')]),
  attempt: Type.Number(),
  startedAt: time,
  /** When its first attempt began, which distinguishes this record from every other one of the same run; older records lack it. */
  firstStartedAt: Type.Optional(time),
  endedAt: Type.Union([time, Type.Null()]),
  /** Present once ended. Its metrics are JSON numbers, and its reason may be one of a later version. */
  outcome: Type.Union([
    Type.Object({
      reason: Type.String(),
      message: Type.String(),
      step: Type.Number(),
      elapsedMs: Type.Number(),
      keptStep: Type.Optional(Type.Number()),
      metrics: Type.Record(Type.String(), Type.Unknown()),
    }),
    Type.Null(),
  ]),
  /** Who holds the run while it is running. */
  holder: Type.Union([
    Type.Object({
      host: Type.String(),
      pid: Type.Number(),
      processStartedAt: Type.Number(),
      space: Type.Optional(Type.String()),
    }),
    Type.Null(),
  ]),
  /** Once ended: the run's files by name, as they were then. Runs of 0.1.0 have neither this nor the next. */
  files: Type.Optional(
    Type.Record(Type.String(), Type.Object({ bytes: Type.Number(), sha256: Type.String() })),
  ),
  /** Hexadecimal SHA-256 of this file without this field. */
  sha256: Type.Optional(Type.String()),
});

export const statusParser = parserOf(statusSchema);

/** `status.json` with its metrics as numbers. */
export interface StatusFile extends Omit<Described<typeof statusSchema>, 'outcome'> {
  readonly outcome: RunOutcome | null;
}

const metricLineSchema = Type.Object({
  step: Type.Integer(),
  time: Type.Number(),
  metrics: Type.Record(Type.String(), jsonNumber),
});

/**
 * One line of `metrics.jsonl`: the metrics of one step. A metric's step appears once: the file only grows (but for a
 * torn last line, which is cut off), and a resumed run does not write again what is recorded. `time` is integer milliseconds since 1970, fixed when the line
 * is written. JSON has no NaN, so non-finite values are the strings "NaN", "Infinity" and "-Infinity".
 */
export type MetricLine = Described<typeof metricLineSchema>;

export const metricLineParser = parserOf(metricLineSchema);

/** What is known of the place before a process has loaded TensorFlow. */
export const hostEnvironmentSchema = Type.Object({
  unroll: Type.String(),
  /** Digest of the program that trains. Earlier runs have none. */
  builtInCode: Type.Optional(Type.String()),
  node: Type.String(),
  platform: Type.String(),
  cpu: Type.String(),
  cores: Type.Number(),
  host: Type.String(),
  user: Type.String(),
  commandLine: Type.String(),
  git: Type.Union([
    Type.Object({
      commit: Type.String(),
      branch: Type.String(),
      dirty: Type.Boolean(),
      remote: Type.String(),
    }),
    Type.Null(),
  ]),
});

export type HostEnvironment = Described<typeof hostEnvironmentSchema>;

const environmentSchema = Type.Object({
  ...hostEnvironmentSchema.properties,
  backend: Type.String(),
  tensorflow: Type.String(),
  kernel: Type.String(),
  /** Digest of the library of Unroll's own kernels; null where it was not used. Earlier runs have neither this nor the next. */
  ownKernels: Type.Optional(Type.Union([Type.String(), Type.Null()])),
  instructionSet: Type.Optional(Type.Union([Type.String(), Type.Null()])),
  /** How products of bfloat16 operands were computed; absent where none were. */
  bfloat16: Type.Optional(Type.String()),
  threads: Type.Number(),
});

export type EnvironmentFile = Described<typeof environmentSchema>;

export const parseEnvironment = parserOf(environmentSchema);

/** What may explain different numbers of the same run. */
export const surroundingFields = [
  'unroll',
  'builtInCode',
  'node',
  'backend',
  'tensorflow',
  'kernel',
  'ownKernels',
  'instructionSet',
  'bfloat16',
  'threads',
  'platform',
  'cpu',
] as const satisfies readonly (keyof EnvironmentFile)[];

/**
 * What a run spends its time with. `start` loads TensorFlow and builds the network, `data` loads the dataset and puts
 * batches together, `update` clips gradients, takes the optimizer's step and reads the loss, `recording` writes files and
 * sends events, `waiting` is everything else: the event loop, and files that are not on the disk yet.
 */
export const phases = [
  'start',
  'data',
  'forward',
  'backward',
  'update',
  'evaluation',
  'recording',
  'waiting',
] as const;
export type Phase = (typeof phases)[number];

const profileSchema = Type.Object({
  attempt: Type.Number(),
  /** Training steps taken. */
  steps: Type.Number(),
  ms: Type.Object(
    Object.fromEntries(phases.map((phase) => [phase, Type.Number()])) as Record<Phase, TNumber>,
  ),
});

/** Where the time of an attempt went, in milliseconds. */
export type ProfileFile = Described<typeof profileSchema>;

export const parseProfile = parserOf(profileSchema);

const numberOrNull = Type.Union([Type.Number(), Type.Null()]);

const partEvaluation = {
  examples: Type.Number(),
  /** Of a forecast: the errors of forecasts that need no network, in the unit of the targets. */
  baselines: Type.Optional(Type.Array(baselineSchema)),
  /** Of a forecast: the network's errors by how many steps ahead, null where no target has a value. */
  maeByStep: Type.Optional(Type.Array(numberOrNull)),
  rmseByStep: Type.Optional(Type.Array(numberOrNull)),
  smapeByStep: Type.Optional(Type.Array(numberOrNull)),
  maseByStep: Type.Optional(Type.Array(numberOrNull)),
  /** With a quantile loss: the part of the targets between the lowest and the highest quantile. */
  coverageByStep: Type.Optional(Type.Array(numberOrNull)),
  scores: Type.Optional(
    Type.Array(
      Type.Object({
        precision: Type.Number(),
        recall: Type.Number(),
        f1: Type.Number(),
        /** Examples of the class. */
        support: Type.Number(),
      }),
    ),
  ),
  confusion: Type.Optional(Type.Array(Type.Array(Type.Number()))),
  /** In equal intervals of the probability of the prediction, from 0 to 1. */
  calibration: Type.Optional(
    Type.Array(Type.Object({ rows: Type.Number(), confidence: Type.Number(), accuracy: Type.Number() })),
  ),
};

const partEvaluationSchema = Type.Object(partEvaluation);

/**
 * How the classes of one part of a dataset were predicted: precision, recall, F1 and support of each class in `scores`;
 * `confusion[truth][prediction]` counts examples. Where examples have weights, support and counts are sums of them.
 */
export type PartEvaluation = Described<typeof partEvaluationSchema>;

/** An example of the test split, its class, and what the network took it for. */
const predictedExample = { index: Type.Number(), truth: Type.Number(), prediction: Type.Number() };

const predictionSchema = Type.Object({
  ...predictedExample,
  /** Softmax probability of the prediction, in [0,1]. */
  probability: Type.Number(),
});

/** An example of the test split with its class, what the network took it for, and how sure it was. */
export type ExamplePrediction = Described<typeof predictionSchema>;

const imageSchema = Type.Object({
  ...predictedExample,
  width: Type.Number(),
  height: Type.Number(),
  /** Base64 of `width * height` bytes, row-major, 255 is white. */
  pixels: Type.String(),
});

/** A grey image of the test split with its class and what the network took it for. */
export type ExampleImage = Described<typeof imageSchema>;

const forecastSchema = Type.Object({
  /** Empty where the file has one series. */
  series: Type.String(),
  target: Type.String(),
  /** As the file has them, one for each truth. */
  times: Type.Array(Type.String()),
  truth: Type.Array(numberOrNull),
  /** Forecasts that do not overlap, each from the place of its first step in `times`. */
  forecasts: Type.Array(
    Type.Object({
      from: Type.Number(),
      values: Type.Array(Type.Number()),
      /** The lowest and the highest quantile, with a quantile loss. */
      low: Type.Optional(Type.Array(Type.Number())),
      high: Type.Optional(Type.Array(Type.Number())),
    }),
  ),
});

/** A stretch of a series of the test part with what was forecast of it. */
export type ForecastSeries = Described<typeof forecastSchema>;

const evaluationSchema = Type.Object({
  ...partEvaluation,
  split: Type.Literal('test'),
  labels: Type.Optional(Type.Array(Type.String())),
  /** Absent where the dataset has none, and in runs recorded by earlier versions. */
  validation: Type.Optional(partEvaluationSchema),
  /** The first examples of the split: the same ones in every run of a dataset. */
  predictions: Type.Optional(Type.Array(predictionSchema)),
  /** The first examples that were labelled wrongly, of data that can be seen. */
  images: Type.Optional(Type.Array(imageSchema)),
  /** Of a forecast: the first series, to be drawn. */
  forecasts: Type.Optional(Type.Array(forecastSchema)),
});

/** Detail of the end evaluation of the kept weights, on the test part and in `validation` on the validation part. */
export type EvaluationFile = Described<typeof evaluationSchema>;

export const parseEvaluation = parserOf(evaluationSchema);

const sectionSchema = Type.Intersect([
  Type.Object({ name: Type.String() }),
  Type.Record(Type.String(), anyJson),
]);

const { versions, code } = runSchema.properties;

const modelFileSchema = Type.Object({
  format: Type.Literal(2),
  run: Type.Object({
    id: Type.String(),
    /** The settings in which the run differs from its sweep's others, or the experiment: `learningRate 0.004, hiddenSize 128`. */
    label: Type.String(),
    experiment: Type.String(),
    seed: Type.Number(),
    fold: Type.Optional(Type.Number()),
  }),
  /** Without the paths of data files. */
  dataset: sectionSchema,
  /** With every default written out, and the readout that the network has. */
  model: Type.Object({ name: Type.String(), parameters: Type.Record(Type.String(), anyJson) }),
  loss: sectionSchema,
  /** How often each class is a target in the training part, where the loss depends on it. */
  classCounts: Type.Optional(Type.Array(Type.Number())),
  /** Outputs of the network for each class, or for each number of a target. */
  outputsPerTarget: Type.Number(),
  /** Which quantiles of a number the outputs for it are. */
  quantiles: Type.Optional(Type.Array(Type.Number())),
  /** Each sequence is read from the state after the one before it; absent: from zeros. */
  stateful: Type.Optional(Type.Literal(true)),
  shape: shapeSchema,
  preprocessing: preprocessingSchema,
  /** Of the kept weights. */
  metrics: Type.Record(Type.String(), jsonNumber),
  data: Type.Object({ digest: Type.String() }),
  /** The kernel that computed the recorded metrics. */
  kernel: Type.String(),
  versions,
  code,
});

/** `model/model.json`: all that is needed to use the weights beside it on other data. */
export type ModelFile = Described<typeof modelFileSchema>;

export const modelFileParser = parserOf(modelFileSchema);

const earlierModelFileSchema = Type.Object({
  model: sectionSchema,
  loss: Type.Optional(sectionSchema),
  shape: shapeSchema,
  versions,
});

/** `model/model.json` of runs recorded before format 2. */
export type EarlierModelFile = Described<typeof earlierModelFileSchema>;

export const earlierModelFileParser = parserOf(earlierModelFileSchema);

const vocabularySchema = Type.Object({ tokens: Type.Array(Type.String()) });

export const parseVocabulary = parserOf(vocabularySchema);
