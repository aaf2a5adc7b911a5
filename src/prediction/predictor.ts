import * as tf from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';
import type { ExampleBatch } from '../data/example-batch.ts';
import { outputsOf } from '../data/task.ts';
import { randomStream } from '../data/random.ts';
import { failure, success, type Result } from '../diagnostic/diagnostic.ts';
import { meanLoss } from '../losses/mean-loss.ts';
import type { Loss } from '../losses/loss.ts';
import type { Model, TensorBatch } from '../models/model.ts';
import { rowOf, type Registry } from '../registry/rows.ts';
import { runnableKernels } from '../tensorflow/kernels/choose-kernel.ts';
import { loadTensorFlow } from '../tensorflow/load.ts';
import { carryState, readAsOne, readNext, type CarriedState } from '../training/carried-state.ts';
import { toTensors, withoutTensors } from '../training/tensor-input.ts';
import { wrongNetwork, wrongWeights } from './check-network.ts';
import { lossContext } from './loss-context.ts';
import type { OpenModel } from './open-model.ts';
import type { NetworkSettings } from './own-outputs.ts';
import { unusable } from './unusable.ts';

/** A network with its trained weights. */
export interface Predictor {
  readonly loss: Loss;
  readonly network: Model;
  /**
   * The raw outputs of a batch, as the end evaluation computes them. A model of `train.stateful` reads the sequences of a file
   * one after another, each from the state after the one before.
   */
  readonly outputs: (examples: ExampleBatch) => Float32Array;
  /** The same with the mean loss of the batch; a model of `train.stateful` reads each row as a stream of its own. */
  readonly evaluate: (examples: ExampleBatch) => { outputs: Float32Array; loss: number };
}

/** Builds the network of a model; loads TensorFlow. */
export const buildPredictor = async (
  model: OpenModel,
  registry: Registry,
  settings: NetworkSettings = {},
): Promise<Result<Predictor>> => {
  await loadTensorFlow();
  try {
    return await build(model, registry, settings);
  } catch (error) {
    return unusable(model, error);
  }
};

const build = async (
  model: OpenModel,
  registry: Registry,
  { fromZeros = false }: NetworkSettings,
): Promise<Result<Predictor>> => {
  const { file, weights } = model;
  const {
    shape,
    model: { name, parameters },
    outputsPerTarget,
  } = file;
  const section = { ...parameters, name };
  const kernel = runnableKernels().includes(file.kernel) ? file.kernel : undefined;
  const row = rowOf(registry.model, section);
  const outputs = outputsOf(shape.task, { outputsPerTarget });
  const wrong = wrongNetwork(model, registry);
  if (wrong) return failure(wrong);
  const network = await row.build(section, {
    shape,
    outputs,
    random: (...purpose) => randomStream(file.run.seed, ...purpose),
    truncation: undefined,
    kernel,
  });
  const variables = [...network.variables].map(([name, { shape: given }]) => ({ name, shape: given }));
  const wrongShape = wrongWeights(model, variables);
  if (wrongShape) return failure(wrongShape);
  for (const [name, value] of network.variables) {
    const stored = weights.get(name);
    if (stored) value.assign(tf.tensor(stored.values, [...stored.shape], 'float32'));
  }
  const { task } = shape;
  const loss: Loss = await rowOf(registry.loss, file.loss).build(file.loss, lossContext(file));
  const carried = file.stateful && !fromZeros ? carryState(network) : undefined;
  const forward = (
    input: TensorBatch,
    { begins = false }: ExampleBatch,
    read: (state: CarriedState, input: TensorBatch) => Tensor,
  ) => {
    if (begins) carried?.reset();
    return carried ? read(carried, input) : network.forward(input, { training: false, step: 0 });
  };
  return success({
    loss,
    network,
    outputs: (examples) =>
      withoutTensors(() => {
        const { batch } = toTensors(examples.batch, examples.shape);
        return forward(batch, examples, readAsOne).dataSync<'float32'>();
      }),
    evaluate: (examples) =>
      withoutTensors(() => {
        const { batch: input, targets, weights: counts } = toTensors(examples.batch, examples.shape);
        const outputs = forward(input, examples, readNext);
        const given = { outputs, targets, lengths: input.lengths, weights: counts };
        const value = meanLoss(task, loss, given).dataSync<'float32'>()[0] ?? Number.NaN;
        return { outputs: outputs.dataSync<'float32'>(), loss: value };
      }),
  });
};
