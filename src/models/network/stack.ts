import type { Tensor, Tensor3D } from '@tensorflow/tfjs-core';
import type { CellState } from '../../tensorflow/kernels/kernel.ts';
import type { NetworkParameters } from '../parameters.ts';
import { behindMask, type Masks } from './masks.ts';
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
