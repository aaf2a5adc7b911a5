import { outputCount } from '../export/head.ts';
import type { TrainedModel } from '../export/trained-model.ts';
import { DataError, type Batch, type SequenceShape } from '../data/dataset.ts';
import { isPerStep, targetSize } from '../data/task.ts';
import { afterMs } from '../system/long-timer.ts';

/** Sequences that the network reads, row-major and zero past their lengths. */
export interface Sequences {
  readonly size: number;
  readonly steps: number;
  /** `[size, steps, features]`, or `[size, steps]` of tokens. */
  readonly inputs: Float32Array | Int32Array;
  readonly lengths: Int32Array;
}

/** Predicts sequences of several requests as one batch. */
export interface Batcher {
  /** Raw outputs in the order of the sequences, laid out in their steps. Rejects with the reason of an aborted signal. */
  readonly outputs: (sequences: Sequences, signal: AbortSignal) => Promise<Float32Array>;
  /** Sequences that wait. */
  readonly waiting: () => number;
  /** Makes batches start at once instead of waiting for more sequences. */
  readonly hurry: () => void;
}

export interface BatchLimits {
  /** Sequences predicted at once. */
  readonly mostRows: number;
  /** How long the first sequence of a batch waits for others, in milliseconds. 0: only those that are there already. */
  readonly window: number;
}

/** Steps of all sequences of a batch, padding included, so that a batch of long ones takes no longer. */
const stepsAtOnce = 4096;

/** Outputs of a batch, where there are some at each step; and those of all sequences of a request. */
const outputsAtOnce = 4_000_000;
const mostOutputs = 20_000_000;

interface Part extends Sequences {
  readonly signal: AbortSignal;
  readonly resolve: (outputs: Float32Array) => void;
  readonly reject: (reason: unknown) => void;
}

export const createBatcher = (
  model: TrainedModel,
  forward: (batch: Batch, shape: SequenceShape) => Float32Array,
  {
    limits,
    onBatch,
  }: { readonly limits: BatchLimits; readonly onBatch: (size: number, seconds: number) => void },
): Batcher => {
  const { shape } = model;
  const width = shape.input.kind === 'values' ? shape.input.features : 1;
  const perStep = isPerStep(shape.task);
  const outputs = outputCount(model);
  const mostSteps = perStep ? Math.min(stepsAtOnce, Math.floor(outputsAtOnce / outputs)) : stepsAtOnce;
  const queue: Part[] = [];
  let rowsWaiting = 0;
  let cancelWaiting: (() => void) | undefined;
  let isNext = false;
  let isHurried = false;

  const schedule = () => {
    if (isNext || queue.length === 0) return;
    // A full batch gains nothing from waiting.
    if (limits.window > 0 && rowsWaiting < limits.mostRows && !isHurried) {
      cancelWaiting ??= afterMs(limits.window, run);
      return;
    }
    cancelWaiting?.();
    isNext = true;
    setImmediate(run);
  };

  const run = () => {
    cancelWaiting = undefined;
    isNext = false;
    const parts = nextParts();
    if (parts.length > 0) predict(parts);
    schedule();
  };

  /** The parts of the next batch. */
  const nextParts = (): readonly Part[] => {
    const parts: Part[] = [];
    let rows = 0;
    let steps = 0;
    while (queue.length > 0) {
      const part = queue[0] as Part;
      const isFitting =
        rows + part.size <= limits.mostRows &&
        (rows + part.size) * Math.max(steps, part.steps) <= mostSteps &&
        (shape.variableLength || steps === part.steps);
      if (parts.length > 0 && !isFitting) break;
      parts.push(take());
      rows += part.size;
      steps = Math.max(steps, part.steps);
    }
    return parts;
  };

  const giveUp = (part: Part) => {
    const at = queue.indexOf(part);
    if (at === -1) return;
    queue.splice(at, 1);
    rowsWaiting -= part.size;
    part.reject(part.signal.reason);
  };

  const take = (): Part => {
    const part = queue.shift() as Part;
    rowsWaiting -= part.size;
    return part;
  };

  const predict = (parts: readonly Part[]) => {
    try {
      const answers = forwardAll(parts);
      parts.forEach((part, at) => part.resolve(answers[at] as Float32Array));
    } catch (error) {
      const [only] = parts;
      if (parts.length === 1) only?.reject(error);
      // The error of one must not become that of its neighbours.
      else for (const part of parts) predict([part]);
    }
  };

  const forwardAll = (parts: readonly Part[]): readonly Float32Array[] => {
    const began = performance.now();
    const size = parts.reduce((sum, part) => sum + part.size, 0);
    const steps = Math.max(...parts.map((part) => part.steps));
    const [first] = parts;
    const laid: Sequences = first && parts.length === 1 ? first : together(parts, { size, steps, width });
    const raw = forward(
      { size, steps, inputs: laid.inputs, lengths: laid.lengths, targets: noTargets(shape, size, steps) },
      { ...shape, steps },
    );
    onBatch(size, (performance.now() - began) / 1000);
    let row = 0;
    return parts.map((part) => {
      const each = perStep ? steps * outputs : outputs;
      const wanted = perStep ? part.steps * outputs : outputs;
      const from = row;
      row += part.size;
      if (each === wanted) return raw.slice(from * each, row * each);
      const own = new Float32Array(part.size * wanted);
      for (let at = 0; at < part.size; at++)
        own.set(raw.subarray((from + at) * each, (from + at) * each + wanted), at * wanted);
      return own;
    });
  };

  const enqueue = (part: Sequences, signal: AbortSignal): Promise<Float32Array> =>
    new Promise((resolve, reject) => {
      if (signal.aborted) {
        reject(signal.reason as Error);
        return;
      }
      const waiting: Part = { ...part, signal, resolve, reject };
      queue.push(waiting);
      rowsWaiting += part.size;
      signal.addEventListener('abort', () => giveUp(waiting), { once: true });
      schedule();
    });

  return {
    outputs: async (sequences, signal) => {
      const { size, steps } = sequences;
      if (size <= limits.mostRows && size * steps <= mostSteps) return enqueue(sequences, signal);
      const each = perStep ? steps * outputs : outputs;
      if (size * each > mostOutputs) throw tooManyOutputs(size * each);
      const all = new Float32Array(size * each);
      // One part at a time: small requests get their turn between those of a large one.
      for (let from = 0; from < size;) {
        const part = cut(sequences, { from, width, mostRows: limits.mostRows, mostSteps });
        const found = await enqueue(part, signal);
        const own = perStep ? part.steps * outputs : outputs;
        for (let row = 0; row < part.size; row++)
          all.set(found.subarray(row * own, (row + 1) * own), (from + row) * each);
        from += part.size;
      }
      return all;
    },
    waiting: () => rowsWaiting,
    hurry: () => {
      isHurried = true;
      schedule();
    },
  };
};

const tooManyOutputs = (count: number): DataError =>
  new DataError({
    path: 'body',
    message: `The answer would be made of ${count} numbers.`,
    expected: `at most ${mostOutputs} numbers`,
    help: 'Send fewer sequences at once, or predict a file with the command predict.',
  });

/** The next rows that fit into a batch, without the steps that all of them are padded with. */
const cut = (
  { size, steps, inputs, lengths }: Sequences,
  given: {
    readonly from: number;
    readonly width: number;
    readonly mostRows: number;
    readonly mostSteps: number;
  },
): Sequences => {
  const { from, width, mostRows, mostSteps } = given;
  let longest = lengths[from] as number;
  let end = from + 1;
  while (end < size && end - from < mostRows) {
    const wide = Math.max(longest, lengths[end] as number);
    if (wide * (end + 1 - from) > mostSteps) break;
    longest = wide;
    end++;
  }
  const rows = { size: end - from, lengths: lengths.slice(from, end) };
  if (longest === steps)
    return { ...rows, steps, inputs: inputs.slice(from * steps * width, end * steps * width) };
  const own =
    inputs instanceof Float32Array
      ? new Float32Array(rows.size * longest * width)
      : new Int32Array(rows.size * longest);
  for (let row = 0; row < rows.size; row++) {
    const start = (from + row) * steps * width;
    own.set(inputs.subarray(start, start + longest * width), row * longest * width);
  }
  return { ...rows, steps: longest, inputs: own };
};

const together = (
  parts: readonly Sequences[],
  { size, steps, width }: { readonly size: number; readonly steps: number; readonly width: number },
): Sequences => {
  const isTokens = parts[0]?.inputs instanceof Int32Array;
  const inputs = isTokens ? new Int32Array(size * steps) : new Float32Array(size * steps * width);
  const lengths = new Int32Array(size);
  let row = 0;
  for (const part of parts) {
    lengths.set(part.lengths, row);
    for (let at = 0; at < part.size; at++, row++) {
      const start = at * part.steps * width;
      inputs.set(part.inputs.subarray(start, start + part.steps * width), row * steps * width);
    }
  }
  return { size, steps, inputs, lengths };
};

/** A batch has targets in training only; here zeros are in their place. */
const noTargets = ({ task }: SequenceShape, size: number, steps: number): Batch['targets'] => {
  const count = size * (isPerStep(task) ? steps : 1) * targetSize(task);
  return task.kind === 'multi-label' || task.kind === 'regression' || task.kind === 'forecast'
    ? new Float32Array(count)
    : new Int32Array(count);
};
