import * as tf from '@tensorflow/tfjs-core';
import type { Tensor2D, Tensor3D, Rank, Tensor, Tensor1D } from '@tensorflow/tfjs-core';
import type { CellSequence, CellState, CellStates, SequenceInput, SequenceResult } from './kernel.ts';
import { lastStep, reverseWithinLength, swapBatchAndTime, zeroPastLength } from './time.ts';
import { recordOperation } from './record.ts';

/** Applies `change` to each part of a state, in order. */
export const mapParts = <T, U>(
  [first, ...others]: readonly [T, ...T[]],
  change: (part: T, index: number) => U,
): readonly [U, ...U[]] => [change(first, 0), ...others.map((part, index) => change(part, index + 1))];

/** A cell written in plain tfjs operations. */
export interface PlainCell {
  readonly initial: CellState;
  /** The part that does not depend on the state, for all steps in one product: `[time * batch, features]` to `[.., columns]`. */
  readonly project: (rows: Tensor2D) => Tensor2D;
  /** One step from its projected input, `[batch, columns]`. */
  readonly step: (projected: Tensor2D, state: CellState) => CellState;
}

/** The rows of a kernel for the input, `[features, columns]`, and for the hidden state, `[output, columns]`. */
export const splitKernel = ({ inputs, kernel }: CellSequence): readonly [Tensor2D, Tensor2D] => {
  const features = inputs.shape[2];
  const [rows, columns] = kernel.shape;
  return [
    tf.slice(kernel, [0, 0], [features, columns]),
    tf.slice(kernel, [features, 0], [rows - features, columns]),
  ];
};

/** The state after each step in the order of time, each part `[time, batch, size]`. */
const statesOf = (timeMajor: Tensor3D, { initial, project, step }: PlainCell): CellStates => {
  const [time, batch, features] = timeMajor.shape;
  const projected = project(tf.reshape(timeMajor, [time * batch, features]));
  const columns = projected.shape[1];
  let state = initial;
  const states: CellState[] = [];
  // tfjs has no gradient for unstacking a single step.
  const steps = time === 1 ? [projected] : tf.unstack(tf.reshape(projected, [time, batch, columns]));
  for (const one of steps) {
    state = step(one as Tensor2D, state);
    states.push(state);
  }
  return mapParts(
    state,
    (_, part): Tensor3D => tf.stack(states.map((each) => each[part] as Tensor2D)) as Tensor3D,
  );
};

/**
 * Runs a computation over sequences in the order of reading, time first, and puts its outputs back into the order of the
 * sequences. `run` returns the hidden state of each step, `[time, batch, size]`, and the final state. It may read past
 * the lengths: cells are causal, so that changes nothing within them.
 */
export const inReadingOrder = (
  { inputs, lengths, reverse, returns }: SequenceInput,
  run: (timeMajor: Tensor3D) => readonly [Tensor3D, CellState],
): SequenceResult => {
  const timeMajor = swapBatchAndTime(inputs);
  const [hidden, final] = run(reverse ? reverseWithinLength(timeMajor, lengths) : timeMajor);
  if (returns === 'final') return { outputs: undefined, final };
  const inOrder = reverse ? reverseWithinLength(hidden, lengths) : hidden;
  return { outputs: swapBatchAndTime(zeroPastLength(inOrder, lengths)), final };
};

/** Runs a cell along its sequences, with tfjs's own gradients. */
export const scan = (sequence: SequenceInput, cell: PlainCell): SequenceResult =>
  inReadingOrder(sequence, (timeMajor) => {
    const states = statesOf(timeMajor, cell);
    return [states[0], mapParts(states, (part) => lastStep(part, sequence.lengths))];
  });

/** The state after each step, each part `[batch, time, size]`, past the lengths too. */
export const scanStates = (inputs: Tensor3D, cell: PlainCell): CellStates =>
  mapParts(statesOf(swapBatchAndTime(inputs), cell), swapBatchAndTime);

/** Whole sequences on the tape: the tensors that a gradient goes to. */
interface ScanOperands {
  /** The part of each step that does not depend on the state: `[time, batch, columns]`. */
  readonly projected: Tensor3D;
  /** `[hidden, columns]`. */
  readonly recurrentKernel: Tensor2D;
  /** `[columns]`: added to the product of hidden state and kernel. */
  readonly productBias?: Tensor1D | undefined;
  /** `[batch, hidden]`. */
  readonly initial: Tensor2D;
  /** `[batch, hidden]`, a constant: multiplies the hidden state before the product. */
  readonly mask?: Tensor2D | undefined;
}

/** A cell with one part of state, which it reads through one matrix product and element by element. */
export interface ElementwiseCell {
  /** Returns the next hidden state, and the tensors of this step that the gradient needs. */
  readonly step: (
    projected: Tensor2D,
    product: Tensor2D,
    hidden: Tensor2D,
  ) => { readonly next: Tensor2D; readonly saved: readonly Tensor2D[] };
  /** Computes, for all steps at once, the factors of the gradient that do not depend on the error. */
  readonly factors: (
    saved: readonly Tensor3D[],
    states: { readonly before: Tensor3D; readonly after: Tensor3D },
  ) => readonly Tensor3D[];
  /** Carries the error of one step's hidden state back to the operands of the step. */
  readonly stepBack: (
    error: Tensor2D,
    factors: readonly Tensor2D[],
  ) => {
    readonly projected: Tensor2D;
    readonly product: Tensor2D;
    /** The error of the state before, apart from the part that comes through the product. */
    readonly hidden: Tensor2D | undefined;
  };
}

const stack = (steps: readonly Tensor2D[]): Tensor3D => tf.stack([...steps]) as Tensor3D;
const unstack = (sequence: Tensor3D): Tensor2D[] => tf.unstack(sequence) as Tensor2D[];

/**
 * Runs a cell along time and returns its states, `[time, batch, hidden]`. Backpropagation through time is written out: it
 * takes a third of the calls of tfjs's own tape, and the gradient of the kernel is one product over all steps.
 */
const recordScan = (operands: ScanOperands, cell: ElementwiseCell): Tensor3D => {
  const { projected, recurrentKernel, productBias, initial, mask } = operands;
  const [time, batch] = projected.shape;
  const [size, columns] = recurrentKernel.shape;
  const inputs = { projected, recurrentKernel, initial, ...(productBias && { productBias }) };

  const [outputs] = recordOperation(inputs, {
    forward: (save) => {
      let hidden = initial;
      const after: Tensor2D[] = [];
      const saved: (readonly Tensor2D[])[] = [];
      // One tidy a step: over long sequences, the leftovers of all steps would fill the memory.
      for (const one of unstack(projected)) {
        const step = tf.tidy(() => {
          const product: Tensor2D = tf.matMul(mask ? tf.mul(hidden, mask) : hidden, recurrentKernel);
          const { next, saved: own } = cell.step(
            one,
            productBias ? tf.add(product, productBias) : product,
            hidden,
          );
          return { next, own: [...own] };
        });
        hidden = step.next;
        after.push(hidden);
        saved.push(step.own);
      }
      const states = stack(after);
      const parts = (saved[0] ?? []).map((_, part) => stack(saved.map((each) => each[part] as Tensor2D)));
      save([recurrentKernel, initial, states, ...parts, ...(mask ? [mask] : [])]);
      return [states];
    },
    backward: ([gradient], kept) => {
      const [kernel, first, after] = kept as [Tensor2D, Tensor2D, Tensor3D];
      const keptMask = mask ? (kept.at(-1) as Tensor2D) : undefined;
      const saved = kept.slice(3, mask ? -1 : undefined) as Tensor3D[];
      const before: Tensor3D =
        time === 1
          ? tf.expandDims(first, 0)
          : tf.concat([
              tf.expandDims<Tensor3D>(first, 0),
              tf.slice(after, [0, 0, 0], [time - 1, batch, size]),
            ]);
      const factors = cell.factors(saved, { before, after }).map(unstack);
      const turned: Tensor2D = tf.transpose(kernel);
      const errors = unstack(gradient as Tensor3D);
      const projectedErrors: Tensor2D[] = [];
      const productErrors: Tensor2D[] = [];
      let carried: Tensor2D | undefined;
      for (let at = time - 1; at >= 0; at--) {
        const own = errors[at] as Tensor2D;
        const step = tf.tidy(() => {
          const back = cell.stepBack(
            carried ? tf.add<Tensor2D>(own, carried) : own,
            factors.map((each) => each[at] as Tensor2D),
          );
          const through: Tensor2D = tf.matMul(back.product, turned);
          const seen = keptMask ? tf.mul<Tensor2D>(through, keptMask) : through;
          const { projected: input, product, hidden } = back;
          return { input, product, carried: hidden ? tf.add<Tensor2D>(seen, hidden) : seen };
        });
        ({ carried } = step);
        projectedErrors.unshift(step.input);
        productErrors.unshift(step.product);
      }
      const flat = (sequence: Tensor, width: number): Tensor2D =>
        tf.reshape<Rank.R2>(sequence, [time * batch, width]);
      const seenBefore = keptMask ? tf.mul(before, tf.expandDims(keptMask, 0)) : before;
      const allProducts = flat(stack(productErrors), columns);
      return {
        projected: stack(projectedErrors),
        recurrentKernel: tf.matMul(flat(seenBefore, size), allProducts, true),
        initial: carried as Tensor2D,
        ...(productBias && { productBias: tf.sum(allProducts, 0) }),
      };
    },
  });
  return outputs as Tensor3D;
};

/**
 * Runs a cell along its sequences as `scan` does, with the gradient of `recordScan`. `productBias`, `[columns]`, is added
 * to the product of hidden state and kernel.
 */
export const recordedScan = (
  sequence: CellSequence,
  {
    initial: [initial],
    project,
    productBias,
  }: Pick<PlainCell, 'initial' | 'project'> & { readonly productBias?: Tensor1D },
  cell: ElementwiseCell,
): SequenceResult =>
  inReadingOrder(sequence, (timeMajor) => {
    const [time, batch, features] = timeMajor.shape;
    const projected = project(tf.reshape(timeMajor, [time * batch, features]));
    const [, recurrentKernel] = splitKernel(sequence);
    const steps = tf.reshape<Rank.R3>(projected, [time, batch, recurrentKernel.shape[1]]);
    const mask = sequence.recurrentMask;
    const hidden = recordScan({ projected: steps, recurrentKernel, productBias, initial, mask }, cell);
    return [hidden, [lastStep(hidden, sequence.lengths)]];
  });

/** Added to the variance; the same as in PyTorch. */
const epsilon = 1e-5;

const meanOfRows = (rows: Tensor2D): Tensor2D => tf.mean(rows, 1, true);

/**
 * Subtracts from each row of `[n, size]` its mean and divides it by `sqrt(variance + epsilon)`.
 *
 * A row whose variance is below epsilon passes no gradient back. Its derivative is up to 1 / sqrt(epsilon) = 316, and a
 * recurrent layer multiplies its error by that for each normalisation of each blank step: ten blank rows of an image
 * overflow single precision. The gradient of every other row is exact.
 */
const normalised = (rows: Tensor2D): Tensor2D => {
  const [result] = recordOperation(
    { rows },
    {
      forward: (save) => {
        const centred = tf.sub<Tensor2D>(rows, meanOfRows(rows));
        const variance = meanOfRows(tf.square(centred));
        const rate = tf.rsqrt(tf.add<Tensor2D>(variance, epsilon));
        const value = tf.mul<Tensor2D>(centred, rate);
        save([value, tf.where(tf.greaterEqual(variance, epsilon), rate, tf.zerosLike(rate))]);
        return [value];
      },
      backward: ([error], [value, factor]) => {
        const [upstream, shown] = [error as Tensor2D, value as Tensor2D];
        const along = tf.mul<Tensor2D>(shown, meanOfRows(tf.mul(upstream, shown)));
        const across = tf.sub<Tensor2D>(tf.sub(upstream, meanOfRows(upstream)), along);
        return { rows: tf.mul(across, factor as Tensor2D) };
      },
    },
  );
  return result as Tensor2D;
};

/**
 * Normalises each row and multiplies it by a gain: Ba, Kiros and Hinton 2016, "Layer Normalization", equation 4. `rows` is
 * `[n, size]`, `gain` is `[size]`.
 */
export const layerNorm = (rows: Tensor2D, gain: Tensor1D): Tensor2D => tf.mul(normalised(rows), gain);
