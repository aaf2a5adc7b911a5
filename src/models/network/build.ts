import * as tf from '@tensorflow/tfjs-core';
import type { Tensor, Tensor2D, Tensor3D, Variable } from '@tensorflow/tfjs-core';
import { isPerStep, stepsRead } from '../../data/task.ts';
import { linear } from '../../tensorflow/kernels/linear.ts';
import type { Cell } from '../../tensorflow/kernels/table.ts';
import type { BuildContext, Model, NetworkState, TensorBatch } from '../model.ts';
import type { NetworkParameters } from '../parameters.ts';
import type { RecurrentCell } from '../recurrent-cell.ts';
import { hasFixedVectors, vectorSizeOf } from '../embedding.ts';
import { categoryTable, networkWeights, tokenTable, type Weight } from '../weights.ts';
import { chunkedTruncation } from './chunked-truncation.ts';
import { embedCategories, embedTokens, oneHotTokens } from './inputs.ts';
import { behindMask, drawMasks, noMasks, type Masks } from './masks.ts';
import { everyOutput, readOut } from './readout.ts';
import { loadRecurrence, type Recurrence } from './recurrence.ts';
import { dropOutputs, inputOfTop, layerOf, type Stack } from './stack.ts';
import { readWindows } from './true-truncation.ts';

/** Draws each weight from its own random stream, named after it. */
const drawVariables = (weights: readonly Weight[], random: BuildContext['random']): Map<string, Variable> => {
  const variables = new Map<string, Variable>();
  for (const { name, shape, draw } of weights) {
    const first = tf.tensor(draw(random('init', name)), [...shape], 'float32');
    variables.set(name, tf.variable(first));
    first.dispose();
  }
  return variables;
};

/**
 * Chooses the kernels, draws the weights and wires them into a network:
 *
 *     inputs (one-hot or embedded), dropout -> layers, with dropout between them -> readout, dropout -> output layer
 */
export const buildNetwork = async <C extends Cell, P extends NetworkParameters>(
  cell: RecurrentCell<C, P>,
  parameters: P,
  context: BuildContext,
): Promise<Model> => {
  const { shape, outputs: width, random, truncation, precision } = context;
  const horizon = stepsRead(shape.task);
  const { layers } = parameters;
  const recurrence = await loadRecurrence(cell, parameters, context);
  const variables = drawVariables(networkWeights(cell.weights(parameters), parameters, context), random);
  const weight = <T extends Tensor>(name: string): T => variables.get(name) as Tensor as T;
  const perStep = isPerStep(shape.task) || horizon > 1;
  const inPrecision: Recurrence = { ...recurrence, run: (run) => recurrence.run({ ...run, precision }) };
  const trained =
    truncation?.style === 'chunked' ? chunkedTruncation(inPrecision, truncation.steps) : inPrecision;

  /** `[batch, time, features]`. */
  const inputOf = ({ inputs }: TensorBatch): Tensor3D => {
    if (shape.input.kind === 'values') {
      const { embedded } = shape.input;
      if (!embedded) return inputs as Tensor3D;
      const tables = embedded.map((column) => weight<Tensor2D>(categoryTable(column)));
      return embedCategories(inputs as Tensor3D, embedded, tables);
    }
    return vectorSizeOf(parameters) === null
      ? oneHotTokens(inputs as Tensor2D, shape.input.vocabulary)
      : embedTokens(inputs as Tensor2D, weight(tokenTable));
  };

  /**
   * `[batch, size]` to `[batch, outputs]`, or `[batch, time, size]` to `[batch, time, outputs]`; over a horizon to the
   * outputs of its steps side by side, `[batch, outputs]`.
   */
  const outputLayer = (given: Tensor, masks: Masks, training: boolean): Tensor => {
    const read = behindMask(given, masks.output(given.shape.at(-1) ?? 0));
    const outputsOf = (rows: Tensor2D): Tensor =>
      linear(rows, weight('output/kernel'), weight('output/bias'), training ? precision : 'float32');
    if (read.rank === 2) return outputsOf(read as Tensor2D);
    const [size = 0, time = 0, features = 0] = read.shape;
    const steps = horizon > 1 ? tf.slice(read, [0, time - horizon, 0], [size, horizon, features]) : read;
    const outputs = outputsOf(tf.reshape(steps, [-1, features]));
    return tf.reshape(outputs, horizon > 1 ? [size, width] : [size, time, width]);
  };

  const forward: Model['forward'] = (batch, { training, step }) => {
    const inputs = inputOf(batch);
    const [size, time, features] = inputs.shape;
    const masks = training ? drawMasks(parameters, random, { step, batch: size }) : noMasks;
    const input = { inputs: behindMask(inputs, masks.input(features)), lengths: batch.lengths };
    const stack: Stack = {
      parameters,
      weight,
      recurrence: training ? trained : recurrence,
      masks,
    };
    if (training && truncation?.style === 'true' && truncation.steps < time)
      return outputLayer(readWindows(stack, { input, steps: truncation.steps, perStep }), masks, training);
    const read = perStep ? everyOutput : readOut;
    return outputLayer(read(layerOf(stack, layers), inputOfTop(stack, input), parameters), masks, training);
  };
  const advance: NonNullable<Model['advance']> = (batch, before, { training, step }) => {
    const inputs = inputOf(batch);
    const [size, , features] = inputs.shape;
    const masks = training ? drawMasks(parameters, random, { step, batch: size }) : noMasks;
    const stack: Stack = {
      parameters,
      weight,
      recurrence: training ? trained : recurrence,
      masks,
      ...(before && { initial: before }),
    };
    const state: NetworkState[number][] = [];
    let read = behindMask(inputs, masks.input(features));
    for (let layer = 1; layer <= layers; layer++) {
      const input = { inputs: read, lengths: undefined };
      const { outputs, final } = layerOf(stack, layer)('forward', input, 'all');
      read = layer < layers ? dropOutputs(outputs as Tensor3D, layer, stack) : (outputs as Tensor3D);
      state.push(final);
    }
    return { outputs: outputLayer(read, masks, training), state };
  };
  return {
    variables,
    ...(isPerStep(shape.task) && !parameters.bidirectional && { advance }),
    ...(hasFixedVectors(parameters) && { fixed: [tokenTable] }),
    kernel: recurrence.kernel,
    forward,
  };
};
