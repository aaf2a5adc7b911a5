import * as tf from '@tensorflow/tfjs-core';
import type { Tensor2D, Tensor3D } from '@tensorflow/tfjs-core';
import { withoutGradient } from '../../tensorflow/kernels/record.ts';
import { mapParts } from '../../tensorflow/kernels/scan.ts';
import {
  lastStep,
  reverseWithinLength,
  swapBatchAndTime,
  zeroPastLength,
} from '../../tensorflow/kernels/time.ts';
import type { Recurrence, RecurrenceRun } from './recurrence.ts';

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
