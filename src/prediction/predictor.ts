import * as tf from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';
import type { ExampleBatch } from '../data/example-batch.ts';
import { isClassTask, outputsOf } from '../data/task.ts';
import { randomStream } from '../data/random.ts';
import { failure, success, type Result } from '../diagnostic/diagnostic.ts';
import { checkAgainst } from '../language/check.ts';
import { meanLoss } from '../losses/mean-loss.ts';
import type { Loss } from '../losses/loss.ts';
import type { Model, TensorBatch } from '../models/model.ts';
import { rowOf, type Registry } from '../registry/rows.ts';
import { runnableKernels } from '../tensorflow/kernels/choose-kernel.ts';
import { loadTensorFlow } from '../tensorflow/load.ts';
import { carryState, readAsOne, readNext, type CarriedState } from '../training/carried-state.ts';
import { toTensors, withoutTensors } from '../training/tensor-input.ts';
import type { OpenModel } from './open-model.ts';
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

/** With `fromZeros` each sequence begins anew, as in an exported network. */
interface PredictorSettings {
  readonly fromZeros?: boolean;
}

/** Builds the network of a model; loads TensorFlow. */
export const buildPredictor = async (
  model: OpenModel,
  registry: Registry,
  settings: PredictorSettings = {},
): Promise<Result<Predictor>> => {
  await loadTensorFlow();
  try {
    return await build(model, registry, settings);
  } catch (error) {
    return unusable(model, error);
  }
};

const build = async (
  { file, weights, directory }: OpenModel,
  registry: Registry,
  { fromZeros = false }: PredictorSettings,
): Promise<Result<Predictor>> => {
  const {
    shape,
    model: { name, parameters },
    outputsPerTarget,
  } = file;
  const section = { ...parameters, name };
  const kernel = runnableKernels().includes(file.kernel) ? file.kernel : undefined;
  const row = rowOf(registry.model, section);
  const outputs = outputsOf(shape.task, { outputsPerTarget });
  // Resolved words may be none that a spec can have, but no network is larger than a spec may ask for.
  const { issues } = checkAgainst(row.parameters, parameters);
  const wrong = issues.find(({ code }) => code === 'out-of-range');
  if (wrong) {
    return failure({
      code: 'damaged-record',
      severity: 'error',
      message: `model.json in ${directory} describes no network: ${wrong.message}`,
      ...(wrong.expected !== undefined && { expected: wrong.expected }),
      help: 'Copy the folder again: the file is not as the training wrote it.',
    });
  }
  // Before it is built: a network as large as model.json claims may not fit in the memory.
  const claimed = row.parameterCount?.(section, { shape, outputs });
  const stored = [...weights.values()].reduce((sum, { values }) => sum + values.length, 0);
  if (claimed !== undefined && claimed !== stored) {
    return failure({
      code: 'damaged-record',
      severity: 'error',
      message: `The weights in ${directory} have ${stored} values, and model.json describes ${claimed}.`,
      expected: 'the weights of the network that model.json describes',
      help: 'Copy the folder again: its files do not belong together.',
    });
  }
  const network = await row.build(section, {
    shape,
    outputs,
    random: (...purpose) => randomStream(file.run.seed, ...purpose),
    truncation: undefined,
    kernel,
  });
  for (const [variable, value] of network.variables) {
    const stored = weights.get(variable);
    if (stored?.shape.join() !== value.shape.join()) {
      return failure({
        code: 'damaged-record',
        severity: 'error',
        message: `The weights in ${directory} have ${stored ? `the shape [${stored.shape.join(', ')}] for ${variable}` : `no ${variable}`}.`,
        expected: `${variable} with the shape [${value.shape.join(', ')}], as model.json describes the network`,
        help: 'Copy the folder again: its files do not belong together.',
      });
    }
    value.assign(tf.tensor(stored.values, [...stored.shape], 'float32'));
  }
  const { task } = shape;
  const loss: Loss = await rowOf(registry.loss, file.loss).build(file.loss, {
    task,
    // Models recorded before have none.
    classCounts: () => file.classCounts ?? new Float64Array(isClassTask(task) ? task.classes : 0).fill(1),
  });
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
