import * as tf from '@tensorflow/tfjs-core';
import type { Tensor, Tensor2D } from '@tensorflow/tfjs-core';
import type { Random } from '../../data/random.ts';
import { filled } from '../initializers.ts';
import type { BuildContext } from '../model.ts';
import type { NetworkParameters } from '../parameters.ts';
import type { Direction } from '../weights.ts';

/** Dropout masks: zeros and 1 / (1 - rate), `[batch, size]`, the same at every step of a sequence. */
export interface Masks {
  /** On what the first layer reads. */
  readonly input: (size: number) => Tensor2D | undefined;
  /** On what the output layer reads. */
  readonly output: (size: number) => Tensor2D | undefined;
  /** On the outputs of a layer that has another above it. */
  readonly between: (layer: number, size: number) => Tensor2D | undefined;
  /** On the hidden state that a cell reads from its last step. */
  readonly recurrent: (layer: number, direction: Direction, size: number) => Tensor2D | undefined;
}

export const noMasks: Masks = {
  input: () => undefined,
  output: () => undefined,
  between: () => undefined,
  recurrent: () => undefined,
};

/** `values`, `[batch, size]` or `[batch, time, size]`, behind a mask that is the same at every step. */
export const behindMask = <T extends Tensor>(values: T, mask: Tensor2D | undefined): T => {
  if (!mask) return values;
  return tf.mul<T>(values, values.rank === 2 ? mask : tf.expandDims(mask, 1));
};

const drawMask = (random: Random, rate: number, [batch, size]: readonly [number, number]): Tensor2D => {
  const kept = 1 / (1 - rate);
  const values = filled(batch * size, () => (random.uniform() < rate ? 0 : kept));
  return tf.tensor2d(values, [batch, size]);
};

/** Draws the masks of one training step, which depend only on the run's seed and the step. */
export const drawMasks = (
  { inputDropout = 0, outputDropout = 0, dropout, recurrentDropout }: NetworkParameters,
  random: BuildContext['random'],
  { step, batch }: { readonly step: number; readonly batch: number },
): Masks => ({
  input: (size) =>
    inputDropout === 0 ? undefined : drawMask(random('input-dropout', step), inputDropout, [batch, size]),
  output: (size) =>
    outputDropout === 0 ? undefined : drawMask(random('output-dropout', step), outputDropout, [batch, size]),
  between: (layer, size) =>
    dropout === 0 ? undefined : drawMask(random('dropout', layer, step), dropout, [batch, size]),
  recurrent: (layer, direction, size) =>
    recurrentDropout === 0
      ? undefined
      : drawMask(random('recurrent-dropout', layer, direction, step), recurrentDropout, [batch, size]),
});

/** Repeats the masks for a larger batch in which each sequence appears `copies` times in a row. */
export const repeatMasks = (masks: Masks, copies: number): Masks => {
  const repeat = (mask: Tensor2D | undefined): Tensor2D | undefined => {
    if (!mask) return undefined;
    const [batch, size] = mask.shape;
    return tf.reshape(tf.tile(tf.expandDims(mask, 1), [1, copies, 1]), [batch * copies, size]);
  };
  return {
    input: (size) => repeat(masks.input(size)),
    output: (size) => repeat(masks.output(size)),
    between: (layer, size) => repeat(masks.between(layer, size)),
    recurrent: (layer, direction, size) => repeat(masks.recurrent(layer, direction, size)),
  };
};
