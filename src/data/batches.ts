import { unreachable } from '../diagnostic/diagnostic.ts';
import { DataError } from './dataset.ts';
import { examplesAtOnce } from './example-batch.ts';
import { indicesBelow } from './indices.ts';
import { randomStream } from './random.ts';

/** How the examples of a split become the batches of a training. */
export interface BatchPlan {
  /** Examples in the split. */
  readonly size: number;
  readonly batchSize: number;
  /** How many batches an update is made of; 1 if absent. A step has the examples of all of them. */
  readonly accumulate?: number;
  /** Each pass in an order of its own; otherwise every pass from the first example to the last. */
  readonly shuffle: boolean;
  /**
   * When the examples of a pass are no multiple of `batchSize`: the last batch is smaller (`keep`), is left out
   * (`drop`), or is filled up from the next pass (`wrap`).
   */
  readonly lastBatch: 'keep' | 'drop' | 'wrap';
  /** The run's seed; decides the order. */
  readonly seed: number;
  /** The steps of each example, to put examples of similar length into a batch; absent: batches are drawn. */
  readonly lengths?: ArrayLike<number> | undefined;
  /**
   * Lays the examples out as streams, one for each row of a batch: a row of the next batch has the example that follows.
   * Not with `shuffle` or `wrap`.
   */
  readonly streams?: boolean | undefined;
}

/** How long a training lasts; one of the three is a number. */
export interface TrainingLength {
  /** Training continues while the examples of all steps up to this one are fewer, counting steps from 1. */
  readonly trainingIters: number | null;
  readonly epochs: number | null;
  readonly steps: number | null;
}

/** The examples of a step. */
export const examplesPerStep = ({
  batchSize,
  accumulate = 1,
}: Pick<BatchPlan, 'batchSize' | 'accumulate'>): number => batchSize * accumulate;

/** Steps in one pass over the split; with `wrap` a fraction, unless the batch size divides the split. */
export const stepsPerEpoch = (plan: Omit<BatchPlan, 'shuffle' | 'seed'>): number => {
  const { size, lastBatch } = plan;
  const batchSize = examplesPerStep(plan);
  switch (lastBatch) {
    case 'keep':
      return Math.ceil(size / batchSize);
    case 'drop':
      return Math.floor(size / batchSize);
    case 'wrap':
      return size / batchSize;
    default:
      return unreachable(lastBatch);
  }
};

/** The number of training steps. 100,000 `trainingIters` in batches of 128 are 781 steps, as the reference counts. */
export const totalSteps = (
  { trainingIters, epochs, steps }: TrainingLength,
  plan: Omit<BatchPlan, 'shuffle' | 'seed'>,
): number => {
  if (steps !== null) return steps;
  if (epochs !== null) return Math.ceil(epochs * stepsPerEpoch(plan));
  if (trainingIters !== null) return Math.max(0, Math.ceil(trainingIters / examplesPerStep(plan)) - 1);
  throw new Error('A training needs steps, epochs or trainingIters.');
};

/** Gives the example indices of a training step, counted from 1. The array is valid until the next call. */
export type BatchIndices = (step: number) => Int32Array;

/**
 * The order of the examples. A pass' order is drawn from a stream keyed by seed and pass, so any step can be reached
 * directly: a resumed run needs nothing but its step. Only the orders of the passes that a batch touches are kept.
 */
export const batchIndices = (plan: BatchPlan): BatchIndices => {
  const { size, shuffle, lastBatch, seed, lengths } = plan;
  const batchSize = examplesPerStep(plan);
  if (lastBatch === 'drop' && size < batchSize) {
    throw new DataError(
      `A batch of ${batchSize} cannot be taken from ${size} examples with lastBatch: drop; lower batchSize or use lastBatch: keep.`,
    );
  }
  let inOrder: Int32Array | undefined;
  let pass = -1;
  let order: Int32Array = new Int32Array();
  const orderOf = (wanted: number): Int32Array => {
    if (!shuffle) return (inOrder ??= plan.streams ? inStreams(size, plan) : indicesBelow(size));
    if (wanted !== pass) {
      order = randomStream(seed, 'shuffle', wanted).permutation(size);
      if (lengths) order = bySimilarLength(order, { batchSize, lengths, seed, pass: wanted });
      pass = wanted;
    }
    return order;
  };

  if (lastBatch !== 'wrap') {
    const perPass = stepsPerEpoch(plan);
    return (step) => {
      const start = ((step - 1) % perPass) * batchSize;
      return orderOf(Math.floor((step - 1) / perPass)).subarray(start, start + batchSize);
    };
  }
  const indices = new Int32Array(batchSize);
  return (step) => {
    const first = (step - 1) * batchSize;
    for (let filled = 0; filled < batchSize;) {
      const at = first + filled;
      const start = at % size;
      const part = orderOf(Math.floor(at / size)).subarray(start, start + batchSize - filled);
      indices.set(part, filled);
      filled += part.length;
    }
    return indices;
  };
};

/**
 * Examples in as many streams as a step has examples, each a piece of the whole that is read from its start. With `keep` the
 * first streams have one example more where they do not come out even, and with `drop` the last examples are left out.
 */
const inStreams = (size: number, plan: BatchPlan): Int32Array => {
  const streams = examplesPerStep(plan);
  const each = Math.floor(size / streams);
  const longer = plan.lastBatch === 'keep' ? size % streams : 0;
  const order = new Int32Array(each * streams + longer);
  for (let stream = 0; stream < streams; stream++) {
    const start = stream * each + Math.min(stream, longer);
    const examples = each + (stream < longer ? 1 : 0);
    for (let at = 0; at < examples; at++) order[at * streams + stream] = start + at;
  }
  return order;
};

/** Each stream of an evaluation has at least this many examples, of which one begins with a state of zeros. */
const leastInStream = 20;

/**
 * The batches of an evaluation: of `size` examples in their order, or in as many streams as fit into a batch. The streams
 * depend on the size alone, so that trainings with other batches can be compared.
 */
export const evaluationOrder = (
  size: number,
  streams: boolean,
): { readonly steps: number; readonly order: BatchIndices } => {
  const most = streams ? Math.max(1, Math.floor(size / leastInStream)) : examplesAtOnce;
  const batchSize = Math.min(most, examplesAtOnce);
  const plan = { size, batchSize, shuffle: false, lastBatch: 'keep', seed: 0, streams } as const;
  return { steps: stepsPerEpoch(plan), order: batchIndices(plan) };
};

/** This many batches of a drawn order are sorted together: enough for batches of similar length, few enough to differ by pass. */
const batchesTogether = 50;

/**
 * Sorts stretches of a drawn order by length, and then draws the order of the batches, so that lengths do not rise within a
 * stretch. What does not fill a batch stays at the end as it was drawn: no length is more often left out or alone.
 */
const bySimilarLength = (
  order: Int32Array,
  given: {
    readonly batchSize: number;
    readonly lengths: ArrayLike<number>;
    readonly seed: number;
    readonly pass: number;
  },
): Int32Array => {
  const { batchSize, lengths, seed, pass } = given;
  const batches = Math.floor(order.length / batchSize);
  const sorted = order.slice();
  const stretch = batchesTogether * batchSize;
  for (let from = 0; from < batches * batchSize; from += stretch)
    sorted
      .subarray(from, Math.min(from + stretch, batches * batchSize))
      .sort((a, b) => (lengths[a] as number) - (lengths[b] as number));
  const places = randomStream(seed, 'buckets', pass).permutation(batches);
  const result = sorted.slice();
  places.forEach((batch, to) => {
    result.set(sorted.subarray(batch * batchSize, (batch + 1) * batchSize), to * batchSize);
  });
  return result;
};
