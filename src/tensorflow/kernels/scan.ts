import * as tf from '@tensorflow/tfjs-core';
import type { Tensor1D, Tensor2D, Tensor3D } from '@tensorflow/tfjs-core';
import { lastStep, reverseWithinLength, swapBatchAndTime, zeroPastLength } from './time.ts';

/** The sequences that a layer reads, and what is wanted of it: the part that all kernels share. */
export interface SequenceInput {
  /** `[batch, time, features]`; values past a sequence's length have no effect. */
  readonly inputs: Tensor3D;
  /** int32 `[batch]`, each in `[1, time]`; absent when every sequence has the full length. */
  readonly lengths?: Tensor1D | undefined;
  /** Reads each sequence from its last step to its first; output t is then the one after reading step t. */
  readonly reverse: boolean;
  /** `final` when only the final state is asked for, so that no kernel lays out every step's output. */
  readonly returns: 'all' | 'final';
}

/** A cell's state: parts of `[batch, size]`, the first of which is its output. */
export type CellState = readonly [Tensor2D, ...Tensor2D[]];

/** A cell's states over time: each part `[time, batch, size]` or `[batch, time, size]`. */
export type CellStates = readonly [Tensor3D, ...Tensor3D[]];

/** The same for each part of a state, in their order. */
export const mapParts = <T, U>(
  [first, ...others]: readonly [T, ...T[]],
  change: (part: T, index: number) => U,
): readonly [U, ...U[]] => [change(first, 0), ...others.map((part, index) => change(part, index + 1))];

interface Cell {
  readonly initial: CellState;
  /** What does not depend on the state, for all steps in one product: `[time * batch, features]` to `[.., columns]`. */
  readonly project: (rows: Tensor2D) => Tensor2D;
  /** One step from its projected input, `[batch, columns]`. */
  readonly step: (projected: Tensor2D, state: CellState) => CellState;
}

/** The state after each step in the order of time, each part `[time, batch, size]`. */
const statesOf = (timeMajor: Tensor3D, { initial, project, step }: Cell): CellStates => {
  const [time, batch, features] = timeMajor.shape;
  const projected = project(tf.reshape(timeMajor, [time * batch, features]));
  const columns = projected.shape[1];
  let state = initial;
  const states: CellState[] = [];
  // tfjs has no gradient for taking a single step apart.
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

/** What a layer gives: `outputs` is `[batch, time, size]`, zero past the length. */
export interface SequenceResult {
  readonly outputs: Tensor3D | undefined;
  /** The state after the last step read. */
  readonly final: CellState;
}

/**
 * Puts sequences into the order of reading, time first, and what `run` makes of them back: the outputs of each step,
 * zero past the length, and the final state. `run` may go on past the lengths: as cells are causal, it is enough not
 * to look there.
 */
export const inReadingOrder = (
  { inputs, lengths, reverse, returns }: SequenceInput,
  run: (timeMajor: Tensor3D) => CellStates,
): SequenceResult => {
  const timeMajor = swapBatchAndTime(inputs);
  const states = run(reverse ? reverseWithinLength(timeMajor, lengths) : timeMajor);
  const final = mapParts(states, (part) => lastStep(part, lengths));
  if (returns === 'final') return { outputs: undefined, final };
  const inOrder = reverse ? reverseWithinLength(states[0], lengths) : states[0];
  return { outputs: swapBatchAndTime(zeroPastLength(inOrder, lengths)), final };
};

/** Runs a cell written in plain tfjs operations along its sequences, with tfjs's own gradients. */
export const scan = (sequence: SequenceInput, cell: Cell): SequenceResult =>
  inReadingOrder(sequence, (timeMajor) => statesOf(timeMajor, cell));

/** The state after each step, each part `[batch, time, size]`, whatever the lengths. */
export const scanStates = (inputs: Tensor3D, cell: Cell): CellStates =>
  mapParts(statesOf(swapBatchAndTime(inputs), cell), swapBatchAndTime);
