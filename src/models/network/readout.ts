import * as tf from '@tensorflow/tfjs-core';
import type { Tensor, Tensor1D, Tensor2D, Tensor3D } from '@tensorflow/tfjs-core';
import { lastStep, swapBatchAndTime, withinLength } from '../../tensorflow/kernels/time.ts';
import { directionsOf, type Direction } from '../weights.ts';
import type { NetworkParameters } from '../parameters.ts';
import type { SequenceResult } from '../../tensorflow/kernels/kernel.ts';

/** The sequences that a layer reads. */
export interface LayerInput {
  /** `[batch, time, features]`. */
  readonly inputs: Tensor3D;
  /** int32 `[batch]`, or undefined when every sequence has the full length. */
  readonly lengths: Tensor1D | undefined;
}

/** Runs one layer's cell in a direction. */
export type Layer = (direction: Direction, input: LayerInput, returns: 'all' | 'final') => SequenceResult;

const mergeDirections = <T extends Tensor>(parts: readonly T[], merge: NetworkParameters['merge']): T => {
  const [forward, backward] = parts as readonly [T, T?];
  if (!backward) return forward;
  switch (merge) {
    case 'concat':
      return tf.concat([forward, backward], -1);
    case 'sum':
      return tf.add(forward, backward);
    case 'mean':
      return tf.mul(tf.add(forward, backward), 0.5);
  }
};

/** The outputs of every step, `[batch, time, size]`, zero past the length. */
export const everyOutput = (layer: Layer, input: LayerInput, parameters: NetworkParameters): Tensor3D =>
  mergeDirections(
    directionsOf(parameters).map((direction) => layer(direction, input, 'all').outputs as Tensor3D),
    parameters.merge,
  );

/**
 * The output at the last index of each sequence. There the backward cell has read only one step, so it runs over
 * that step alone: the same numbers for a fraction of the work.
 */
const outputAtLastIndex = (layer: Layer, input: LayerInput, parameters: NetworkParameters): Tensor2D =>
  mergeDirections(
    directionsOf(parameters).map((direction) => {
      if (direction === 'forward') return layer(direction, input, 'final').final[0];
      const step = lastStep(swapBatchAndTime(input.inputs), input.lengths);
      const sequence: Tensor3D = tf.expandDims(step, 1);
      return layer(direction, { inputs: sequence, lengths: undefined }, 'final').final[0];
    }),
    parameters.merge,
  );

const finalStates = (layer: Layer, input: LayerInput, parameters: NetworkParameters): Tensor2D =>
  mergeDirections(
    directionsOf(parameters).map((direction) => layer(direction, input, 'final').final[0]),
    parameters.merge,
  );

/** Mean or maximum of the outputs `[batch, time, size]` over the steps within the length: `[batch, size]`. */
export const poolSteps = (
  outputs: Tensor3D,
  lengths: Tensor1D | undefined,
  readout: 'mean' | 'max',
): Tensor2D => {
  const [batch, time, size] = outputs.shape;
  if (readout === 'mean') {
    return lengths
      ? tf.div(tf.sum(outputs, 1), tf.expandDims(tf.cast(lengths, 'float32'), 1))
      : tf.mean(outputs, 1);
  }
  if (!lengths) return tf.max(outputs, 1);
  const within = tf.tile(tf.reshape(tf.transpose(withinLength(time, lengths)), [batch, time, 1]), [
    1,
    1,
    size,
  ]);
  return tf.max(tf.where(within, outputs, tf.fill(outputs.shape, -Infinity)), 1);
};

/** Reads one vector per sequence from the top layer: `[batch, size]`. */
export const readOut = (layer: Layer, input: LayerInput, parameters: NetworkParameters): Tensor2D => {
  switch (parameters.readout) {
    case 'auto':
    case 'last':
      return outputAtLastIndex(layer, input, parameters);
    case 'final-state':
      return finalStates(layer, input, parameters);
    case 'mean':
    case 'max':
      return poolSteps(everyOutput(layer, input, parameters), input.lengths, parameters.readout);
  }
};
