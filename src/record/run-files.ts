import type { RunOutcome } from './events.ts';
import type { DataDescription } from '../plan/plan.ts';
import type { JsonNumber } from '../system/json.ts';
import type { ProcessIdentity } from '../system/process-identity.ts';

/**
 * The files of a run's directory, `runs/<experiment>/<run id>/`. Each is written beside and renamed, except
 * `metrics.jsonl` and `log.txt`, which only grow.
 *
 *     run.json           Run: what the run is
 *     status.json        StatusFile: how far it is, or how it ended
 *     environment.json   EnvironmentFile: where it ran, once an attempt begins
 *     data.json          DataFile: what the data is
 *     metrics.jsonl      MetricLine by MetricLine
 *     log.txt            what a person would have seen: one line each `displayEvery` steps, and the child's own output
 *     checkpoints/       last.safetensors, best.safetensors, step-000500.safetensors: weights, optimizer slots and the trainer's state
 *     model/             weights.safetensors, model.json: the trained network
 *     evaluation.json    EvaluationFile: detail of the end evaluation
 *     profile.json       ProfileFile: where the time of the last attempt went, when that was asked for
 *     plots/             loss.svg, accuracy.svg, ...: the metrics as pictures
 *     system.jsonl       MetricLine by MetricLine: the machine's load, when it is recorded on MLflow
 *     mlflow/            what was sent to which server
 *     lock, writer       while it is being trained: which process decides over it, and which one writes it
 *
 * A sweep's frozen plan lies beside, in `runs/<experiment>/sweeps/<sweep id>.json`.
 */
export const fileNames = {
  run: 'run.json',
  status: 'status.json',
  environment: 'environment.json',
  data: 'data.json',
  metrics: 'metrics.jsonl',
  log: 'log.txt',
  evaluation: 'evaluation.json',
  checkpoints: 'checkpoints',
  model: 'model',
  profile: 'profile.json',
  plots: 'plots',
  system: 'system.jsonl',
  mlflow: 'mlflow',
  lock: 'lock',
  writer: 'writer',
} as const;

/** In the folder `model`. */
export const modelFileNames = { weights: 'weights.safetensors', model: 'model.json' } as const;

/** Runs of earlier versions have none. */
export type DataFile = DataDescription;

export interface StatusFile {
  /** `running` is trusted only while the named process lives. */
  readonly state: 'running' | 'ended';
  readonly attempt: number;
  readonly startedAt: number;
  /** When its first attempt began, which tells this record from every other one of the same run; older records lack it. */
  readonly firstStartedAt?: number;
  readonly endedAt: number | null;
  /** Present once ended. */
  readonly outcome: RunOutcome | null;
  /** Who holds the run while it is running. */
  readonly holder: ProcessIdentity | null;
  /** Once ended: the run's files by name, as they were then. Runs of 0.1.0 have neither this nor the next. */
  readonly files?: Readonly<Record<string, { readonly bytes: number; readonly sha256: string }>>;
  /** Hexadecimal SHA-256 of this file without this field. */
  readonly sha256?: string;
}

/**
 * One line of `metrics.jsonl`: the metrics of one step. A metric's step stands there once: the file only grows (but for a
 * torn last line, which is cut off), and a resumed run does not write again what is recorded. `time` is integer milliseconds since 1970, fixed when the line
 * is written. JSON has no NaN, so non-finite values are the strings "NaN", "Infinity" and "-Infinity".
 */
export interface MetricLine {
  readonly step: number;
  readonly time: number;
  readonly metrics: Readonly<Record<string, JsonNumber>>;
}

export interface EnvironmentFile {
  readonly unroll: string;
  readonly node: string;
  readonly backend: string;
  readonly tensorflow: string;
  readonly kernel: string;
  readonly threads: number;
  readonly platform: string;
  readonly cpu: string;
  readonly cores: number;
  readonly host: string;
  readonly user: string;
  readonly commandLine: string;
  readonly git: {
    readonly commit: string;
    readonly branch: string;
    readonly dirty: boolean;
    readonly remote: string;
  } | null;
}

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

/** Where the time of an attempt went, in milliseconds. */
export interface ProfileFile {
  readonly attempt: number;
  /** Training steps taken. */
  readonly steps: number;
  readonly ms: Readonly<Record<Phase, number>>;
}

/**
 * How the classes of one part of a dataset were predicted: precision, recall, F1 and support of each class in `scores`;
 * `confusion[truth][prediction]` counts examples.
 */
export interface PartEvaluation {
  readonly examples: number;
  readonly scores?: readonly {
    readonly precision: number;
    readonly recall: number;
    readonly f1: number;
    /** Examples of the class. */
    readonly support: number;
  }[];
  readonly confusion?: readonly (readonly number[])[];
}

/** Detail of the end evaluation of the kept weights, on the test part and in `validation` on the validation part. */
export interface EvaluationFile extends PartEvaluation {
  readonly split: 'test';
  readonly labels?: readonly string[];
  /** Absent where the dataset has none, and in runs recorded by earlier versions. */
  readonly validation?: PartEvaluation;
  /** The first examples of the split: the same ones in every run of a dataset. */
  readonly predictions?: readonly ExamplePrediction[];
  /** The first examples that were labelled wrongly, of data that can be seen. */
  readonly images?: readonly ExampleImage[];
}

/** An example of the test split with its class, what the network took it for, and how sure it was. */
export interface ExamplePrediction {
  readonly index: number;
  readonly truth: number;
  readonly prediction: number;
  /** Softmax probability of the prediction, in [0,1]. */
  readonly probability: number;
}

/** A grey image of the test split with its class and what the network took it for. */
export interface ExampleImage {
  readonly index: number;
  readonly truth: number;
  readonly prediction: number;
  readonly width: number;
  readonly height: number;
  /** Base64 of `width * height` bytes, row-major, 255 is white. */
  readonly pixels: string;
}
