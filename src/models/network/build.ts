import * as tf from '@tensorflow/tfjs-core';
import type { Tensor, Tensor1D, Tensor2D, Tensor3D, Variable } from '@tensorflow/tfjs-core';
import type { BuildContext, Model, TensorBatch } from '../model.ts';
import type { NetworkParameters } from '../parameters.ts';
import { hasTargetPerStep, outputCount, type Weight } from '../weights.ts';
import { everyOutput, readOut, type Layer } from './readout.ts';
import type { Recurrence } from './recurrence.ts';

interface NetworkPlan {
  readonly parameters: NetworkParameters;
  readonly context: BuildContext;
  /** Every weight, in order. */
  readonly weights: readonly Weight[];
  readonly recurrence: Recurrence;
}

/** Draws the weights and wires them into a network. */
export const buildNetwork = ({ parameters, context, weights, recurrence }: NetworkPlan): Model => {
  const { shape, random } = context;
  const variables = new Map<string, Variable>();
  for (const { name, shape: dimensions, draw } of weights) {
    const first = tf.tensor(draw(random('init', name)), [...dimensions], 'float32');
    variables.set(name, tf.variable(first));
    first.dispose();
  }
  const weight = <T extends Tensor>(name: string): T => variables.get(name) as unknown as T;

  /** `[batch, time, features]`. */
  const inputOf = ({ inputs }: TensorBatch): Tensor3D => {
    if (shape.input.kind === 'values') return inputs as Tensor3D;
    const tokens = inputs as Tensor2D;
    if (parameters.embeddingSize === null)
      return tf.oneHot(tokens, shape.input.vocabulary, 1, 0, 'float32') as Tensor3D;
    const flat: Tensor1D = tf.reshape(tokens, [-1]);
    const vectors = tf.gather(weight<Tensor2D>('embedding'), flat);
    return tf.reshape(vectors, [...tokens.shape, parameters.embeddingSize]);
  };

  const layerOf =
    (layer: number): Layer =>
    (direction, { inputs, lengths }, returns) =>
      recurrence.run({
        inputs,
        weight: (name) => weight(`layer${String(layer)}/${direction}/${name}`),
        initial: undefined,
        lengths,
        reverse: direction === 'backward',
        returns,
      });

  /** `rows` is `[..., size]`. */
  const outputLayer = (rows: Tensor): Tensor => {
    const size = rows.shape.at(-1) ?? 0;
    const flat: Tensor2D = tf.reshape(rows, [-1, size]);
    const outputs = tf.add(tf.matMul(flat, weight<Tensor2D>('output/kernel')), weight('output/bias'));
    return tf.reshape(outputs, [...rows.shape.slice(0, -1), outputCount(shape.task)]);
  };

  const forward = (batch: TensorBatch): Tensor => {
    const { lengths } = batch;
    let inputs = inputOf(batch);
    for (let layer = 1; layer < parameters.layers; layer++)
      inputs = everyOutput(layerOf(layer), { inputs, lengths }, parameters);
    const read = hasTargetPerStep(shape.task) ? everyOutput : readOut;
    return outputLayer(read(layerOf(parameters.layers), { inputs, lengths }, parameters));
  };
  return { variables, kernel: recurrence.kernel, forward };
};
