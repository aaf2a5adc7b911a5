import * as tf from '@tensorflow/tfjs-core';
import type { Tensor, Tensor3D, Tensor1D, Tensor2D } from '@tensorflow/tfjs-core';
import type {
  CellState,
  SequenceResult,
  CellSequence,
  CellStates,
  SequenceInput,
} from '../../tensorflow/kernels/kernel.ts';
import type { NetworkParameters } from '../parameters.ts';
import { behindMask, type Masks } from './masks.ts';
import { lastStep, swapBatchAndTime, withinLength } from '../../tensorflow/kernels/time.ts';
import { directionsOf, type Direction } from '../weights.ts';
import { chooseKernel } from '../../tensorflow/kernels/choose-kernel.ts';
import type { Cell } from '../../tensorflow/kernels/kernel.ts';
import type { BuildContext } from '../model.ts';
import { featuresInTraining, type RecurrentCell, type WeightOf } from '../recurrent-cell.ts';

/** The recurrent layers of a network in one pass, numbered from 1 at the bottom. */
export interface Stack {
  readonly parameters: NetworkParameters;
  readonly weight: <T extends Tensor>(name: string) => T;
  readonly recurrence: Recurrence;
  readonly masks: Masks;
  /** The state before the first step of each layer; zero when absent. */
  readonly initial?: readonly CellState[];
}

/** The operands of a layer's cell in a direction, apart from its inputs. */
export const cellOf = (
  { weight, recurrence, masks, initial }: Stack,
  layer: number,
  direction: 'forward' | 'backward',
): Pick<RecurrenceRun, 'weight' | 'initial' | 'recurrentMask' | 'reverse'> => ({
  weight: (name) => weight(`layer${String(layer)}/${direction}/${name}`),
  initial: initial?.[layer - 1],
  recurrentMask: masks.recurrent(layer, direction, recurrence.outputSize),
  reverse: direction === 'backward',
});

export const layerOf =
  (stack: Stack, layer: number): Layer =>
  (direction, input, returns) =>
    stack.recurrence.run({ ...cellOf(stack, layer, direction), ...input, returns });

/** Applies dropout to the outputs of a layer, `[batch, time, size]`, before the layer above reads them. */
export const dropOutputs = (outputs: Tensor3D, layer: number, { masks }: Stack): Tensor3D =>
  behindMask(outputs, masks.between(layer, outputs.shape[2]));

/** Returns the input of the top layer: the outputs of the layers below. */
export const inputOfTop = (stack: Stack, input: LayerInput): LayerInput => {
  let { inputs } = input;
  for (let layer = 1; layer < stack.parameters.layers; layer++) {
    const outputs = everyOutput(layerOf(stack, layer), { ...input, inputs }, stack.parameters);
    inputs = dropOutputs(outputs, layer, stack);
  }
  return { ...input, inputs };
};

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

/** One layer in one direction over a batch of sequences. */
export interface RecurrenceRun
  extends SequenceInput, Pick<CellSequence, 'initial' | 'recurrentMask' | 'precision'> {
  readonly weight: WeightOf;
}

/** A cell with its kernels loaded. */
export interface Recurrence {
  /** The name of the kernel that runs in training, for the record. */
  readonly kernel: string;
  /** Size of the cell's output at each step. */
  readonly outputSize: number;
  readonly run: (run: RecurrenceRun) => SequenceResult;
  /** The state after each step, each part `[batch, time, size]`, read forwards and past the lengths. */
  readonly states: (run: RecurrenceRun) => CellStates;
}

/**
 * Chooses and loads a cell's kernels. `kernel` names the one of the training; the default of this process where
 * undefined. Rejects where the wanted one cannot run here.
 */
export const loadRecurrence = async <C extends Cell, P extends NetworkParameters>(
  recurrent: RecurrentCell<C, P>,
  chosen: P,
  { kernel: wanted, precision }: Pick<BuildContext, 'kernel' | 'precision'>,
): Promise<Recurrence> => {
  const { cell, features, weights, sequence } = recurrent;
  const inTraining = featuresInTraining(recurrent, chosen);
  const training = chooseKernel(cell, featuresInTraining(recurrent, chosen, precision), wanted);
  // Evaluation has no masks, so it can take a kernel that training with recurrent dropout cannot.
  const evaluation = chosen.recurrentDropout > 0 ? chooseKernel(cell, features(chosen)) : training;
  const masked = await training.load();
  const plain = await evaluation.load();
  const { states } = await chooseKernel(cell, [...inTraining, 'everyState']).load();
  if (!states) throw new Error(`No kernel returns every state of this ${cell}. This is a bug in Unroll.`);
  const sequenceOf = ({ weight, ...run }: RecurrenceRun) =>
    sequence(chosen, { ...run, kernel: weight('kernel'), bias: weight('bias') }, weight);
  return {
    kernel: training.name,
    outputSize: weights(chosen).outputSize,
    run: (run) => (run.recurrentMask ? masked : plain).run(sequenceOf(run)),
    states: (run) => states(sequenceOf(run)),
  };
};
