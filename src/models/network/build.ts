import * as tf from '@tensorflow/tfjs-core';
import type { Tensor, Tensor2D, Tensor3D, Variable, Rank, Tensor1D } from '@tensorflow/tfjs-core';
import { isPerStep, stepsRead } from '../../data/task.ts';
import { linear } from '../../tensorflow/kernels/linear.ts';
import type { Cell } from '../../tensorflow/kernels/kernel.ts';
import type { BuildContext, Model, NetworkState, TensorBatch } from '../model.ts';
import type { NetworkParameters } from '../parameters.ts';
import type { RecurrentCell } from '../recurrent-cell.ts';
import { hasFixedVectors, vectorSizeOf } from '../embedding.ts';
import { categoryTable, networkWeights, tokenTable, type Weight } from '../weights.ts';
import { chunkedTruncation, readWindows } from './truncation.ts';
import { behindMask, drawMasks, noMasks, type Masks } from './masks.ts';
import {
  everyOutput,
  readOut,
  loadRecurrence,
  type Recurrence,
  dropOutputs,
  inputOfTop,
  layerOf,
  type Stack,
} from './stack.ts';
import type { CategoryFeature } from '../../data/dataset.ts';
import { recordOperation } from '../../tensorflow/kernels/record.ts';

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

/** One-hot encodes tokens: int32 `[batch, time]` to `[batch, time, vocabulary]`. */
const oneHotTokens = (tokens: Tensor2D, vocabulary: number): Tensor3D =>
  // The WebAssembly back end returns wrong numbers if `oneHot` makes floats itself.
  tf.cast(tf.oneHot(tokens, vocabulary) as Tensor3D, 'float32');

/**
 * Replaces tokens, int32 `[batch, time]`, by rows of a table, `[vocabulary, size]`: `[batch, time, size]`. It has its own
 * gradient because the WebAssembly back end lacks the one of `tf.gather`.
 */
const embedTokens = (tokens: Tensor2D, table: Tensor2D): Tensor3D => {
  const [embedded] = recordOperation(
    { table },
    {
      forward: (save) => {
        const rows: Tensor1D = tf.reshape(tokens, [-1]);
        save([rows]);
        const vectors = tf.gather(table, rows);
        return [tf.reshape<Rank.R3>(vectors, [...tokens.shape, table.shape[1]])];
      },
      backward: ([gradient], [rows]) => ({
        table: tf.scatterND(
          tf.expandDims(rows as Tensor, 1),
          tf.reshape(gradient as Tensor, [-1, table.shape[1]]),
          table.shape,
        ),
      }),
    },
  );
  return embedded as Tensor3D;
};

/**
 * Replaces features that are categories by their vectors: `[batch, time, features]` to the other features in their order,
 * then the vectors of each column. `tables` has those of each, `[categories, size]`.
 */
const embedCategories = (
  inputs: Tensor3D,
  embedded: readonly CategoryFeature[],
  tables: readonly Tensor2D[],
): Tensor3D => {
  const [batch, time, features] = inputs.shape;
  const columns = (from: number, to: number): Tensor3D =>
    tf.slice(inputs, [0, 0, from], [batch, time, to - from]);
  const ends = [...embedded.map(({ feature }) => feature), features];
  const numbers = ends.flatMap((end, at) => {
    const from = at === 0 ? 0 : (ends[at - 1] as number) + 1;
    return end > from ? [columns(from, end)] : [];
  });
  const vectors = embedded.map(({ feature }, at) => {
    const indices: Tensor2D = tf.reshape(tf.cast(columns(feature, feature + 1), 'int32'), [batch, time]);
    return embedTokens(indices, tables[at] as Tensor2D);
  });
  return tf.concat([...numbers, ...vectors], 2);
};
