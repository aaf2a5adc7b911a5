import * as tf from '@tensorflow/tfjs-core';
import type { Rank, Tensor, Tensor1D, Tensor2D, Tensor3D } from '@tensorflow/tfjs-core';
import type { CellStates } from '../../tensorflow/kernels/kernel.ts';
import { withoutGradient } from '../../tensorflow/kernels/record.ts';
import { mapParts } from '../../tensorflow/kernels/scan.ts';
import {
  gatherSteps,
  withinLength,
  lastStep,
  reverseWithinLength,
  swapBatchAndTime,
  zeroPastLength,
} from '../../tensorflow/kernels/time.ts';
import { repeatMasks } from './masks.ts';
import {
  poolSteps,
  type LayerInput,
  cellOf,
  dropOutputs,
  inputOfTop,
  layerOf,
  type Stack,
  type Recurrence,
  type RecurrenceRun,
} from './stack.ts';

/** The state of every layer after every step, each part `[batch, time, size]`; constants to the gradient. */
const statesOf = (stack: Stack, { inputs }: LayerInput): readonly CellStates[] => {
  const found: CellStates[] = [];
  let below = inputs;
  for (let layer = 1; layer <= stack.parameters.layers; layer++) {
    const run = { ...cellOf(stack, layer, 'forward'), inputs: below, returns: 'all' } as const;
    const states = withoutGradient(() => stack.recurrence.states(run));
    found.push(states);
    below = dropOutputs(states[0], layer, stack);
  }
  return found;
};

/** Int32 `[windows, 2]` or `[windows, steps, 2]`: rows and steps side by side, as `gatherSteps` takes them. */
const places = (rows: Tensor, steps: Tensor): Tensor =>
  tf.stack([tf.broadcastTo(rows, steps.shape), steps], -1);

const whole = (value: number) => tf.scalar(value, 'int32');

/**
 * The top layer's output at the steps `ends`, int32 `[batch, outputs]`, each computed over a window of the last `steps`
 * steps that starts from the state of the full pass: so the error of each output is carried back exactly `steps` steps,
 * in every layer. "Styles of Truncated Backpropagation" (R2RT, 2016) calls it true truncation.
 * It costs `steps` times as much as a full pass for an output at every step. Returns `[batch, outputs, size]`.
 */
const outputsOfWindows = (
  stack: Stack,
  { input, ends, steps }: { readonly input: LayerInput; readonly ends: Tensor2D; readonly steps: number },
): Tensor3D => {
  const [batch, outputs] = ends.shape;
  const windows = batch * outputs;
  const end: Tensor1D = tf.reshape(ends, [windows]);
  const row: Tensor1D = tf.reshape(tf.tile(tf.expandDims(tf.range(0, batch, 1, 'int32'), 1), [1, outputs]), [
    windows,
  ]);
  const start = tf.maximum(tf.sub(end, whole(steps - 1)), whole(0));
  const before = tf.maximum(tf.sub(start, whole(1)), whole(0));
  const begins = tf.expandDims(tf.cast(tf.equal(start, whole(0)), 'float32'), 1);

  const initial = statesOf(stack, input).map((states) =>
    withoutGradient(() =>
      mapParts(states, (part): Tensor2D => tf.mul(gatherSteps(part, places(row, before)), tf.sub(1, begins))),
    ),
  );
  // A window may read past its end within its sequence; its length keeps that without effect.
  const within = tf.minimum(
    tf.add(tf.expandDims(start, 1), tf.range(0, steps, 1, 'int32')),
    whole(input.inputs.shape[1] - 1),
  );
  const windowed: Stack = { ...stack, initial, masks: repeatMasks(stack.masks, outputs) };
  const read: LayerInput = {
    inputs: gatherSteps(input.inputs, places(tf.expandDims(row, 1), within)) as Tensor3D,
    lengths: tf.add<Tensor1D>(tf.sub(end, start), whole(1)),
  };
  const top = layerOf(windowed, stack.parameters.layers);
  const [last] = top('forward', inputOfTop(windowed, read), 'final').final;
  return tf.reshape(last, [batch, outputs, -1]);
};

/**
 * Returns the input of the output layer under true truncation: the outputs of all steps, `[batch, time, size]`, or one
 * vector per sequence, `[batch, size]`.
 */
export const readWindows = (
  stack: Stack,
  {
    input,
    steps,
    perStep,
  }: { readonly input: LayerInput; readonly steps: number; readonly perStep: boolean },
): Tensor => {
  const { readout } = stack.parameters;
  const { inputs, lengths } = input;
  const [batch, time] = inputs.shape;
  const pooled = !perStep && (readout === 'mean' || readout === 'max') ? readout : undefined;
  if (perStep || pooled) {
    const everyStep: Tensor2D = tf.expandDims(tf.range(0, time, 1, 'int32'), 0);
    const ends = tf.tile(everyStep, [batch, 1]);
    const outputs = outputsOfWindows(stack, { input, ends, steps });
    const within = lengths
      ? tf.mul<Tensor3D>(
          outputs,
          tf.expandDims(tf.cast(tf.transpose(withinLength(time, lengths)), 'float32'), 2),
        )
      : outputs;
    return pooled ? poolSteps(within, lengths, pooled) : within;
  }
  const last = lengths ? tf.sub<Tensor1D>(lengths, whole(1)) : tf.fill<Rank.R1>([batch], time - 1, 'int32');
  return tf.squeeze(outputsOfWindows(stack, { input, ends: tf.expandDims(last, 1), steps }), [1]);
};

/** Runs chunk after chunk of `inputs` in the order given, without lengths; errors stay within their chunk. */
const runChunks = (recurrence: Recurrence, run: RecurrenceRun, chunk: number) => {
  const [batch, time, features] = run.inputs.shape;
  const outputs: Tensor3D[] = [];
  let state = run.initial;
  for (let start = 0; start < time; start += chunk) {
    const result = recurrence.run({
      ...run,
      inputs: tf.slice(run.inputs, [0, start, 0], [batch, Math.min(chunk, time - start), features]),
      initial: state,
      lengths: undefined,
      reverse: false,
    });
    if (result.outputs) outputs.push(result.outputs);
    state = withoutGradient(() => mapParts(result.final, (part) => tf.clone(part)));
    if (start + chunk >= time) return { outputs, final: result.final };
  }
  throw new Error('A sequence has no steps. This is a bug in Unroll.');
};

/**
 * Backpropagation that is cut at fixed borders, every `chunk` steps in the order of reading: the state passes a border,
 * its gradient does not. "Styles of Truncated Backpropagation" (R2RT, 2016) calls it TensorFlow's style.
 */
export const chunkedTruncation = (recurrence: Recurrence, chunk: number): Recurrence => ({
  ...recurrence,
  run: (run) => {
    const { inputs, lengths, reverse, returns } = run;
    if (inputs.shape[1] <= chunk) return recurrence.run(run);
    const turn = (sequence: Tensor3D): Tensor3D =>
      reverse ? swapBatchAndTime(reverseWithinLength(swapBatchAndTime(sequence), lengths)) : sequence;
    const inOrder = { ...run, inputs: turn(inputs) };
    if (returns === 'final' && !lengths) {
      return { outputs: undefined, final: runChunks(recurrence, inOrder, chunk).final };
    }
    const { outputs, final } = runChunks(recurrence, { ...inOrder, returns: 'all' }, chunk);
    const timeMajor = swapBatchAndTime(tf.concat(outputs, 1));
    const hidden: Tensor2D = lastStep(timeMajor, lengths);
    return {
      outputs: returns === 'all' ? turn(swapBatchAndTime(zeroPastLength(timeMajor, lengths))) : undefined,
      // The other parts are those after the last chunk, not after the lengths. Callers read only the first part.
      final: [hidden, ...final.slice(1)],
    };
  },
});
