import type { ExampleBatch } from '../data/example-batch.ts';
import { isNumberTask, outputsOf } from '../data/task.ts';
import { failure, success, type Result } from '../diagnostic/diagnostic.ts';
import {
  plainFeatures,
  recurrentNetworkOf,
  type Cell,
  type RecurrentNetwork,
} from '../export/recurrent-network.ts';
import type { Loss } from '../losses/loss.ts';
import { rowOf, type Registry } from '../registry/rows.ts';
import { damagedFile, isNativeRefused } from '../tensorflow/installation.ts';
import { mostFusedOutputs, startableNetwork, type OwnNetwork } from '../tensorflow/kernels/own-network.ts';
import { wrongNetwork, wrongWeights, type NetworkModel } from './check-network.ts';
import { lossContext } from './loss-context.ts';
import type { OpenModel } from './open-model.ts';
import { unusable } from './unusable.ts';

/**
 * Begins to compute the outputs of a batch; the returned function waits for them. With `alone` one thread computes the batch,
 * because others are being computed, too.
 */
export type StartOutputs = (
  examples: ExampleBatch,
  settings: { readonly alone: boolean },
) => () => Float32Array;

export interface NetworkSettings {
  /** Each sequence begins anew, as in an exported network, also with a model of `train.stateful`. */
  readonly fromZeros?: boolean;
}

/** What decides whether the library computes a model, and what it computes. */
type OwnModel = NetworkModel & {
  readonly file: Pick<OpenModel['file'], 'kernel' | 'stateful' | 'code'>;
};

/**
 * The outputs of a model that Unroll's own library computes as a whole, with the bits of its training's kernel: TensorFlow,
 * which takes longer to load than many files to predict, is not loaded. Undefined for other models, and where the library
 * cannot be used.
 */
export const ownOutputs = (
  model: OwnModel,
  registry: Registry,
  { fromZeros = false }: NetworkSettings = {},
): Result<StartOutputs | undefined> => {
  const { file, weights } = model;
  const { shape, outputsPerTarget } = file;
  try {
    const row = rowOf(registry.model, file.model);
    const section = { ...file.model.parameters, name: file.model.name };
    const isCarrying = file.stateful === true && !fromZeros;
    if (isCarrying || !isOwn(file, row.kernels?.(section) ?? []) || damagedFile() !== undefined)
      return success(undefined);
    const outputs = outputsOf(shape.task, { outputsPerTarget });
    const wrong =
      wrongNetwork(model, registry) ??
      wrongWeights(model, row.variables?.(section, { shape, outputs }) ?? []);
    if (wrong) return failure(wrong);
    const network = recurrentNetworkOf(file, weights);
    const own = network && ownNetworkOf(network);
    const start = own && startableNetwork(own);
    if (!start) return success(undefined);
    return success(({ batch, shape: laidOut }, settings) => {
      const { size } = batch;
      const steps = batch.steps ?? laidOut.steps;
      return start(
        {
          values: inputsOf(network.input, batch.inputs, size * steps),
          ...{ batch: size, steps },
          lengths: laidOut.variableLength ? batch.lengths.subarray(0, size) : undefined,
        },
        settings,
      );
    });
  } catch (error) {
    return unusable(model, error);
  }
};

/** The loss of a model as far as its predictions need it. Classes need nothing, and then TensorFlow.js is not loaded. */
export const lossOf = async ({ file }: OpenModel, registry: Registry): Promise<Pick<Loss, 'predictions'>> => {
  const { task } = file.shape;
  if (!isNumberTask(task) && file.code?.loss === undefined) return {};
  return await rowOf(registry.loss, file.loss).build(file.loss, lossContext(file));
};

/** Whether the model was trained with a kernel of the library and has nothing else that only TensorFlow computes. */
const isOwn = (file: OwnModel['file'], kernels: readonly { readonly name: string }[]): boolean => {
  if (file.code?.model !== undefined || isNativeRefused()) return false;
  const kernel = kernels.find(({ name }) => name === file.kernel);
  return kernel !== undefined && 'needs' in kernel && kernel.needs === 'own-library';
};

/** The network as the library takes it; undefined where it lacks a part of it. */
const ownNetworkOf = (network: RecurrentNetwork): OwnNetwork | undefined => {
  const { layers, merge, readout, output } = network;
  const cell = layers[0]?.[0].kind;
  // The means of pooled steps would have other last bits.
  if (cell === undefined || readout === 'mean' || readout === 'max') return undefined;
  if (output.bias.length > mostFusedOutputs) return undefined;
  return {
    cell,
    layers: layers.map((directions) => directions.flatMap((one) => (one ? [ownCell(one)] : []))),
    merge,
    ...(typeof readout === 'object' ? { readout: 'steps', lastSteps: readout.last } : { readout }),
    output: { kernel: output.kernel.values, bias: output.bias },
  };
};

const ownCell = (cell: Cell): OwnNetwork['layers'][number][number] => ({
  features: cell.features,
  hidden: cell.size,
  forgetBias: cell.kind === 'lstm' ? cell.forgetBias : 0,
  kernel: [cell.inputKernel.values, cell.recurrentKernel.values],
  bias: [cell.bias, ...(cell.kind === 'gru' && cell.recurrentBias ? [cell.recurrentBias] : [])],
});

/** The numbers that the first layer reads in `steps` steps: features as they are, or rows of tables. */
const inputsOf = (
  input: RecurrentNetwork['input'],
  given: Float32Array | Int32Array,
  steps: number,
): Float32Array => {
  if (input.kind === 'tokens') {
    const { vocabulary, table } = input;
    const width = table?.columns ?? vocabulary;
    const values = new Float32Array(steps * width);
    for (let step = 0; step < steps; step++) {
      const token = given[step] as number;
      if (!(token >= 0 && token < vocabulary)) throw new Error(`There is no token ${token}.`);
      if (table) values.set(table.values.subarray(token * width, (token + 1) * width), step * width);
      else values[step * width + token] = 1;
    }
    return values;
  }
  const { features, embedded } = input;
  if (embedded.length === 0) return (given as Float32Array).subarray(0, steps * features);
  const plain = plainFeatures(input);
  const width = plain.length + embedded.reduce((sum, { table }) => sum + table.columns, 0);
  const values = new Float32Array(steps * width);
  for (let step = 0; step < steps; step++) {
    let at = step * width;
    for (const feature of plain) values[at++] = given[step * features + feature] as number;
    for (const { feature, table } of embedded) {
      const row = given[step * features + feature] as number;
      if (!(row >= 0 && row < table.rows)) throw new Error(`There is no category ${row}.`);
      values.set(table.values.subarray(row * table.columns, (row + 1) * table.columns), at);
      at += table.columns;
    }
  }
  return values;
};
