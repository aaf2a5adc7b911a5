import type { Static, TObject } from '@sinclair/typebox';
import type { DiagnosticCode } from '../diagnostic/codes.ts';
import type { ParameterIssue, Row } from '../parameters/row.ts';
import type { DataInspection } from './description.ts';
import type { ForecastPart } from './forecast-part.ts';
import type { GatherPixels } from './pixels.ts';
import type { Preprocessing } from './preprocessing.ts';
import { isClassTask, isPerStep, targetSize, type Task } from './task.ts';

/**
 * A feature that holds the index of a category, for a model to embed: one of `categories` numbers from 0 on. 0 stands for a
 * missing category, and for one that the training part lacks.
 */
export interface CategoryFeature {
  /** Its index among the features. */
  readonly feature: number;
  /** The column that it comes from. */
  readonly name: string;
  readonly categories: number;
  /** The size of the vector that a category becomes. */
  readonly size: number;
}

/** The shape of one example. `steps` is the longest sequence. */
export interface SequenceShape {
  readonly steps: number;
  /**
   * `values`: float features at each step, some of which may be categories to embed, in rising order. `tokens`: one integer
   * in `[0, vocabulary)` a step.
   */
  readonly input:
    | {
        readonly kind: 'values';
        readonly features: number;
        readonly embedded?: readonly CategoryFeature[];
      }
    | { readonly kind: 'tokens'; readonly vocabulary: number };
  /** False when every sequence has exactly `steps` steps. */
  readonly variableLength: boolean;
  readonly task: Task;
}

/** Examples as plain memory, row-major. All arrays are sized for at least `size` examples. */
export interface Batch {
  size: number;
  /** Steps of each row, where the batch is cut to its longest sequence; absent: those of the shape. */
  steps?: number;
  /** `values`: Float32Array `[size, steps, features]`; `tokens`: Int32Array `[size, steps]`. Zero past the length. */
  readonly inputs: Float32Array | Int32Array;
  /** `[size]`, each in `[1, steps]`. */
  readonly lengths: Int32Array;
  /** By the task: Int32Array of classes or Float32Array of values. */
  readonly targets: Int32Array | Float32Array;
  /** `[size]`: how much each example counts in the loss; absent where all count the same. */
  readonly weights?: Float32Array;
}

/** What the targets of an example were scaled by, one number a target: original = scaled / factor + mean. */
export interface TargetScaling {
  readonly mean: ArrayLike<number>;
  readonly factor: ArrayLike<number>;
}

/** A part of a dataset: `size` examples, read by index in any order. */
export interface Split {
  readonly size: number;
  /** Copies the examples at `indices` into `batch`, in that order, and sets `batch.size`. */
  readonly read: (indices: Int32Array, batch: Batch) => void;
  /** How the targets of an example were scaled; without it they are in their own unit. */
  readonly scaling?: (index: number) => TargetScaling;
  /** How much an example counts in the loss and the metrics; without it each counts 1. */
  readonly weight?: (index: number) => number;
  /**
   * Of a forecast: the mean absolute error of the seasonal naive forecast on the training part of the example's series, one
   * number a target, in its own unit. Mase divides by it.
   */
  readonly naiveError?: (index: number) => ArrayLike<number>;
  /** Of a forecast. */
  readonly forecast?: ForecastPart;
  /** What the data calls an example, for recorded predictions; without it the index. */
  readonly id?: (index: number) => string;
  /** How an example looks, for reports: a grey image, row-major in [0,1], or nothing. */
  readonly image?: (index: number) => {
    readonly width: number;
    readonly height: number;
    readonly pixels: Float32Array;
  };
}

export interface Dataset {
  readonly shape: SequenceShape;
  /** The tokens by index, if the inputs are text; recorded with the model. */
  readonly vocabulary?: readonly string[];
  /** What was done to the values of files, recorded with the model; absent for data that is read as it is. */
  readonly preprocessing?: Preprocessing;
  readonly train: Split;
  readonly validation?: Split;
  readonly test: Split;
}

/** How far a large file is read. */
export interface ReadProgress {
  readonly activity: 'checking' | 'packing';
  /** As the file is named in the spec. */
  readonly name: string;
  readonly readBytes: number;
  readonly totalBytes: number;
}

export interface DataContext {
  /** Where relative paths of a run's dataset start: the folder of the spec. */
  readonly baseDirectory: string;
  readonly reading?: ((progress: ReadProgress) => void) | undefined;
  /** A faster function than JavaScript's that gives the same bits, if the process has one. */
  readonly gatherPixels?: GatherPixels | undefined;
}

/** What the parameters alone show of the parts of a dataset. */
export interface DatasetParts {
  /** Examples to train on; undefined where only the files show it. */
  readonly trainSize: number | undefined;
  readonly validation: boolean;
}

export interface DatasetRow<P extends TObject = TObject> extends Row<P> {
  /** What the parameters alone show of the shape; reads at most the head of a file. */
  shape(this: void, parameters: Static<P>, context: DataContext): SequenceShape | Promise<SequenceShape>;
  /** What is known of the parts before anything is read; a row without it is checked when it is loaded. */
  parts?(this: void, parameters: Static<P>): DatasetParts;
  /** Hex SHA-256 that identifies the content (bytes, or generator and its parameters); cheap enough for `plan`. */
  digest(this: void, parameters: Static<P>, context: DataContext): string | Promise<string>;
  /**
   * Describes and checks the content, cheaply enough for `plan`. Throws `DataError` for what cannot be trained on. Without
   * it, only what shape and parts give is known before the data is loaded.
   */
  inspect?(this: void, parameters: Static<P>, context: DataContext): Promise<DataInspection>;
  /**
   * How many folds the parameters ask for. Each configuration is then trained once a fold, with the parameter `fold` set
   * to 1, 2, ...; its runs are replicates of each other, as those of different seeds are.
   */
  folds?(this: void, parameters: Static<P>): number | undefined;
  /**
   * Whether each example begins where the one before it ends, so that a network can carry its state on; absent where the
   * examples are no pieces of one long sequence.
   */
  consecutive?(this: void, parameters: Static<P>): boolean;
  /** The tokens by index, where the inputs are text; as in the loaded dataset. */
  vocabulary?(this: void, parameters: Static<P>, context: DataContext): Promise<readonly string[]>;
  /** Parameters that name files (or null) whose content is in the digest: where they are is no part of a run's id. */
  readonly files?: readonly string[];
  /** Files that `load` reads although no parameter names them, each by the parameter that names the file in whose folder it is. */
  besideFiles?(
    this: void,
    parameters: Static<P>,
    context: DataContext,
  ): Promise<Readonly<Record<string, string>>>;
  /** True where `load` makes the data up, so that it may be loaded to be described. */
  readonly generated?: true;
  /**
   * How other files of the same form are read, for predictions: a `TableFormat`, `SeriesFormat` or `StreamFormat`, as the
   * preprocessing that `load` returns is of a table, of texts, of series or of a stream.
   */
  formatOf?(this: void, parameters: Static<P>, context: DataContext): Promise<unknown>;
  /** Loads or generates the data. Throws `DataError` for what the user can fix. */
  load(this: void, parameters: Static<P>, context: DataContext): Promise<Dataset>;
}

/**
 * An error in the data that the user can fix, such as a file with bad rows. Not a bug. A string is an issue with the
 * dataset as a whole.
 */
export class DataError extends Error {
  readonly issues: readonly ParameterIssue[];
  readonly code: DataErrorCode;
  constructor(
    found: string | ParameterIssue | readonly ParameterIssue[],
    { code = 'bad-data', message, cause }: DataErrorOptions = {},
  ) {
    const issues = [found].flat().map((one) => (typeof one === 'string' ? { path: '', message: one } : one));
    super(message ?? issues.map(sentenceOf).join('\n'), { cause });
    this.name = 'DataError';
    this.issues = issues;
    this.code = code;
  }
}

/** `data-missing`: the files do not exist; `damaged-record`: what a training recorded of them is damaged. */
type DataErrorCode = Extract<DiagnosticCode, 'bad-data' | 'damaged-record' | 'data-missing'>;

export interface DataErrorOptions {
  readonly code?: DataErrorCode;
  /** Where it is more than the sentences of the issues. */
  readonly message?: string;
  readonly cause?: unknown;
}

/** What is wrong and how to fix it. */
export const sentenceOf = ({ message, help }: ParameterIssue): string =>
  help === undefined ? message : `${message} ${help}`;

/** A batch with room for `capacity` examples of a shape; with weights where the examples of `split` have some. */
export const allocateBatch = (
  shape: SequenceShape,
  capacity: number,
  split?: Pick<Split, 'weight'>,
): Batch => {
  const { steps, input, task } = shape;
  const targets = capacity * (isPerStep(task) ? steps : 1) * targetSize(task);
  return {
    size: 0,
    inputs:
      input.kind === 'values'
        ? new Float32Array(capacity * steps * input.features)
        : new Int32Array(capacity * steps),
    lengths: new Int32Array(capacity),
    targets: isClassTask(task) ? new Int32Array(targets) : new Float32Array(targets),
    ...(split?.weight && { weights: new Float32Array(capacity) }),
  };
};

/** Reads the examples at `indices` into a batch, and how much each counts. */
export const readBatch = (split: Split, indices: Int32Array, batch: Batch): void => {
  split.read(indices, batch);
  if (split.weight) for (const [row, index] of indices.entries()) setWeight(batch, row, split.weight(index));
};

const setWeight = ({ weights }: Batch, row: number, weight: number): void => {
  if (weights) weights[row] = weight;
};
