import * as tf from '@tensorflow/tfjs-core';
import type { Tensor, Tensor3D } from '@tensorflow/tfjs-core';
import type { CellState } from '../../tensorflow/kernels/kernel.ts';
import type { NetworkParameters } from '../parameters.ts';
import type { Masks } from './masks.ts';
import { everyOutput, type Layer, type LayerInput } from './readout.ts';
import type { Recurrence, RecurrenceRun } from './recurrence.ts';

/** The recurrent layers of a network in one pass, numbered from 1 at the bottom. */
export interface Stack {
  readonly parameters: NetworkParameters;
  readonly weight: <T extends Tensor>(name: string) => T;
  readonly recurrence: Recurrence;
  readonly masks: Masks;
  /** The state before the first step of each layer; zero when absent. */
  readonly initial?: readonly CellState[];
}

/** What the cell of a layer and direction needs besides its inputs. */
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

/** The outputs of a layer, `[batch, time, size]`, as the layer above it sees them. */
export const dropOutputs = (outputs: Tensor3D, layer: number, { masks }: Stack): Tensor3D => {
  const mask = masks.between(layer, outputs.shape[2]);
  return mask ? tf.mul(outputs, tf.expandDims(mask, 1)) : outputs;
};

/** What the top layer reads: the input after every layer below. */
export const inputOfTop = (stack: Stack, input: LayerInput): LayerInput => {
  let { inputs } = input;
  for (let layer = 1; layer < stack.parameters.layers; layer++) {
    const outputs = everyOutput(layerOf(stack, layer), { ...input, inputs }, stack.parameters);
    inputs = dropOutputs(outputs, layer, stack);
  }
  return { ...input, inputs };
};
