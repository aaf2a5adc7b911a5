import * as tf from '@tensorflow/tfjs-core';
import type { Rank, Tensor, Tensor1D, Tensor2D, Tensor3D } from '@tensorflow/tfjs-core';
import type { CellSequence, SequenceResult } from './kernel.ts';
import { recordOperation } from './record.ts';
import { inReadingOrder, splitKernel, type PlainCell } from './scan.ts';
import { lastStep } from './time.ts';

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
