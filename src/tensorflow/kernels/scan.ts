import * as tf from '@tensorflow/tfjs-core';
import type { Tensor2D, Tensor3D } from '@tensorflow/tfjs-core';
import type { CellSequence, CellState, CellStates, SequenceInput, SequenceResult } from './kernel.ts';
import { lastStep, reverseWithinLength, swapBatchAndTime, zeroPastLength } from './time.ts';

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
