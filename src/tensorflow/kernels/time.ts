import * as tf from '@tensorflow/tfjs-core';
import type { Rank, Tensor, Tensor1D, Tensor2D, Tensor3D } from '@tensorflow/tfjs-core';
import { recordOperation } from './record.ts';

/**
 * Operations along time on time-major sequences, `[time, batch, size]`. `lengths` is int32 `[batch]`, each in `[1, time]`,
 * or undefined when every sequence has the full length.
 */

/** `[batch, time, size]` to `[time, batch, size]`, or back. */
export const swapBatchAndTime = (sequence: Tensor3D): Tensor3D => tf.transpose(sequence, [1, 0, 2]);

const rowNumbers = (batch: number): Tensor1D => tf.range(0, batch, 1, 'int32');

/** `[time, batch]`, true where a step is within its sequence. */
export const withinLength = (time: number, lengths: Tensor1D): Tensor2D =>
  tf.less(tf.expandDims(tf.range(0, time, 1, 'int32'), 1), tf.expandDims(lengths, 0));

/** Reverses each sequence within its own length; steps past the length stay in place. */
export const reverseWithinLength = (sequence: Tensor3D, lengths: Tensor1D | undefined): Tensor3D => {
  if (!lengths) return tf.reverse(sequence, 0);
  const [time, batch] = sequence.shape;
  const [turned] = recordOperation(
    { sequence },
    {
      forward: (save) => {
        const step = tf.expandDims(tf.range(0, time, 1, 'int32'), 1);
        const mirrored = tf.sub(tf.sub(tf.expandDims(lengths, 0), tf.scalar(1, 'int32')), step);
        const source = tf.where(
          tf.greaterEqual(mirrored, tf.scalar(0, 'int32')),
          mirrored,
          tf.tile(step, [1, batch]),
        );
        const indices = tf.stack([source, tf.tile(tf.expandDims(rowNumbers(batch), 0), [time, 1])], 2);
        save([indices]);
        return [tf.gatherND(sequence, indices)];
      },
      // Reversing is its own inverse, and so its own transpose.
      backward: ([gradient], [indices]) => ({ sequence: tf.gatherND(gradient as Tensor, indices as Tensor) }),
    },
  );
  return turned as Tensor3D;
};

/** `[batch, 2]`: step and row of each sequence's last step. */
const lastSteps = (lengths: Tensor1D): Tensor2D =>
  tf.stack([tf.sub(lengths, tf.scalar(1, 'int32')), rowNumbers(lengths.shape[0])], 1) as Tensor2D;

/** The last step within each sequence's length: `[batch, size]`. */
export const lastStep = (sequence: Tensor3D, lengths: Tensor1D | undefined): Tensor2D => {
  const [time, batch, size] = sequence.shape;
  if (!lengths) return tf.reshape(tf.slice(sequence, [time - 1, 0, 0], [1, batch, size]), [batch, size]);
  return gatherSteps(sequence, lastSteps(lengths)) as Tensor2D;
};

/** The transpose of `lastStep`: `[time, batch, size]`, zero but for the last step within each length. */
export const atLastStep = (last: Tensor2D, time: number, lengths: Tensor1D | undefined): Tensor3D => {
  const [batch, size] = last.shape;
  return lengths
    ? tf.scatterND<Rank.R3>(lastSteps(lengths), last, [time, batch, size])
    : tf.pad(tf.reshape(last, [1, batch, size]), [
        [time - 1, 0],
        [0, 0],
        [0, 0],
      ]);
};

/** Sets the steps past each length to zero. */
export const zeroPastLength = (sequence: Tensor3D, lengths: Tensor1D | undefined): Tensor3D =>
  lengths
    ? tf.mul(sequence, tf.expandDims(tf.cast(withinLength(sequence.shape[0], lengths), 'float32'), 2))
    : sequence;

/**
 * Picks any steps of any sequences: `places` is int32 `[..., 2]`, indices into the first two axes of `sequence`,
 * `[a, b, size]`; the result is `[..., size]`. A step that is picked more than once gets the sum of the gradients.
 */
export const gatherSteps = (sequence: Tensor3D, places: Tensor): Tensor => {
  const [taken] = recordOperation(
    { sequence },
    {
      forward: (save) => {
        save([places]);
        return [tf.gatherND(sequence, places)];
      },
      backward: ([gradient], [saved]) => ({
        sequence: tf.scatterND(saved as Tensor, gradient as Tensor, sequence.shape),
      }),
    },
  );
  return taken as Tensor;
};
