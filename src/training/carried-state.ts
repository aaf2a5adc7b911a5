import * as tf from '@tensorflow/tfjs-core';
import type { Tensor, Tensor2D } from '@tensorflow/tfjs-core';
import type { ForwardMode, Model, NetworkState, TensorBatch } from '../models/model.ts';
import type { StoredTensor } from '../system/safetensors.ts';

/** The state of a network after the batches before, which the next batch begins with. */
export interface CarriedState {
  /** Reads a batch from the state and returns the outputs; the new state is kept once `step` is called. */
  readonly read: (batch: TensorBatch, mode: ForwardMode) => Tensor;
  /** Replaces the state by the one after the batch read last, when nothing needs the old one, such as a gradient. */
  readonly step: () => void;
  /** Begins anew, with zeros. */
  readonly reset: () => void;
  /** Each part of each layer's state by its name, `layer1/0`; none at the beginning. */
  readonly tensors: () => readonly { readonly name: string; readonly tensor: Tensor }[];
  /** Takes over a stored state. */
  readonly restore: (stored: (name: string) => StoredTensor | undefined) => void;
}

/** Begins with zeros. The network must have `advance`. */
export const carryState = (model: Model): CarriedState => {
  const { advance } = model;
  if (!advance) throw new Error('This network carries no state. This is a bug in Unroll.');
  let state: NetworkState | undefined;
  let next: NetworkState | undefined;
  const replace = (by: NetworkState | undefined) => {
    for (const part of state?.flat() ?? []) part.dispose();
    state = by;
  };
  return {
    read: (batch, mode) => {
      const [size = 0] = batch.inputs.shape;
      const { outputs, state: after } = advance(batch, state && firstRows(state, size), mode);
      next = mapState(after, (part) => tf.keep(part));
      return outputs;
    },
    step: () => {
      replace(next);
      next = undefined;
    },
    reset: () => {
      replace(undefined);
    },
    tensors: () =>
      (state ?? []).flatMap((layer, at) => layer.map((tensor, part) => ({ name: nameOf(at, part), tensor }))),
    restore: (stored) => {
      const layers: NetworkState[number][] = [];
      for (;;) {
        const parts: Tensor2D[] = [];
        for (;;) {
          const found = stored(nameOf(layers.length, parts.length));
          if (!found) break;
          parts.push(tf.keep(tf.tensor2d(found.values, found.shape as [number, number], 'float32')));
        }
        const [first, ...others] = parts;
        if (!first) break;
        layers.push([first, ...others]);
      }
      replace(layers.length === 0 ? undefined : layers);
    },
  };
};

const evaluation = { training: false, step: 0 };

/** Reads a batch in evaluation, each row as a stream of its own. */
export const readNext = (carried: CarriedState, batch: TensorBatch): Tensor => {
  const outputs = carried.read(batch, evaluation);
  carried.step();
  return outputs;
};

/**
 * Reads the sequences of a batch as one, each from the state after the one before it. Returns their outputs,
 * `[batch, time, outputs]`.
 */
export const readAsOne = (carried: CarriedState, { inputs }: TensorBatch): Tensor => {
  const [size = 0, steps = 0, ...features] = inputs.shape;
  const one = tf.reshape(inputs, [1, size * steps, ...features]);
  const outputs = readNext(carried, { inputs: one, lengths: undefined });
  return tf.reshape(outputs, [size, steps, outputs.shape.at(-1) ?? 0]);
};

const nameOf = (layer: number, part: number): string => `layer${layer + 1}/${part}`;

/** A last batch may have fewer streams than those before it. */
const firstRows = (state: NetworkState, size: number): NetworkState =>
  mapState(state, (part) => (part.shape[0] === size ? part : tf.slice(part, [0, 0], [size, part.shape[1]])));

const mapState = (state: NetworkState, change: (part: Tensor2D) => Tensor2D): NetworkState =>
  state.map(([first, ...others]): NetworkState[number] => [change(first), ...others.map(change)]);
