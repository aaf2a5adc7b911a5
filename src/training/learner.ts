import * as tf from '@tensorflow/tfjs-core';
import type { Batch, SequenceShape } from '../data/dataset.ts';
import { randomStream } from '../data/random.ts';
import type { Vectors } from '../data/vectors/vectors.ts';
import { isClassTask, outputsOf } from '../data/task.ts';
import { defaultLoss, type Loss, type LossContext } from '../losses/loss.ts';
import { meanLoss } from '../losses/mean-loss.ts';
import type { Model } from '../models/model.ts';
import type { NextWeight } from '../optimizers/optimizer.ts';
import { clipGradients } from '../optimizers/clipping.ts';
import { commonOf, changesRate, learningRateAt } from '../optimizers/common.ts';
import { presetsOf } from '../parameters/row.ts';
import type { TrainConfig } from '../language/config.ts';
import { rowOf, type Registry } from '../registry/rows.ts';
import type { Run } from '../plan/plan.ts';
import { checkPatterns, chosenVariables } from '../plan/variable-names.ts';
import type { Json } from '../system/json.ts';
import { carryState, readNext, type CarriedState } from './carried-state.ts';
import type { Checkpoint, TrainerTensors } from './checkpoint.ts';
import { idleStopwatch, type Stopwatch } from './stopwatch.ts';
import { toTensors, withoutTensors, type TensorInput } from './tensor-input.ts';
import { averageWeights } from './weight-averages.ts';

/** A network with its optimizer: what changes from step to step. */
export interface Learner {
  /** Name of the kernel that runs the network's cells, for the record. */
  readonly kernel: string;
  readonly parameterCount: number;
  readonly loss: Loss;
  /** How often each class is a target in the training part, if the loss depends on it. */
  readonly classCounts: () => ArrayLike<number> | undefined;
  /** One update on a batch. Returns the loss before the update and, when asked for, the outputs it came from. */
  readonly update: (
    batch: Batch,
    step: number,
    wantOutputs: boolean,
    reductions?: number,
  ) => { loss: number; outputs: Float32Array | undefined };
  /**
   * Adds the gradient of a batch, this many times, to a sum. `draw` keys what is drawn at random, as a step does; `at` is the
   * batch's place in the update, from 0.
   */
  readonly addGradient: (
    batch: Batch,
    given: {
      readonly draw: number;
      readonly times: number;
      readonly at: number;
      readonly wantOutputs: boolean;
    },
  ) => { loss: number; outputs: Float32Array | undefined };
  /** One update by the sum of gradients, divided by `total`; the next sum begins at 0. */
  readonly updateBySum: (
    step: number,
    given: { readonly total: number; readonly reductions: number },
  ) => void;
  /** The learning rate of an update, where a schedule changes it. */
  readonly changingRate: (at: { readonly step: number; readonly reductions: number }) => number | undefined;
  /** With `train.stateful`: lets the next batches begin with a state of zeros. */
  readonly beginPass: () => void;
  /**
   * Loss and outputs of a batch, without dropout and without changing anything. With a state its sequences are read from it,
   * and it becomes the one after them.
   */
  readonly predict: (batch: Batch, carried?: CarriedState) => { loss: number; outputs: Float32Array };
  /** A state for `predict`, zero at first, with `train.stateful`. */
  readonly carryState: () => CarriedState | undefined;
  /** Weights, optimizer slots, averages of weights and carried states, by name, in a fixed order: all that changes with a step. */
  readonly tensors: () => TrainerTensors;
  /** The weights that are evaluated and kept: with `train.ema` their averages. */
  readonly weights: () => TrainerTensors;
  /** Takes over weights (and slots, where the checkpoint has them). */
  readonly restore: (tensors: Checkpoint['tensors']) => void;
  readonly dispose: () => void;
}

interface Slot {
  readonly key: string;
  tensor: tf.Tensor;
}

/** Builds a run's network and optimizer, with initial weights drawn from the run's seed. */
export const buildLearner = async (
  run: Run,
  shape: SequenceShape,
  {
    registry,
    totalSteps,
    kernel,
    vectors,
    clock = idleStopwatch,
    classCounts = alike(shape),
  }: {
    readonly registry: Registry;
    readonly totalSteps: number;
    /** The default of this process where undefined. */
    readonly kernel?: string | undefined;
    /** The pretrained vectors of the model's tokens, if it reads some. */
    readonly vectors?: Vectors | undefined;
    readonly clock?: Stopwatch;
    /** How often each class is a target in the training part; all alike where undefined. */
    readonly classCounts?: LossContext['classCounts'];
  },
): Promise<Learner> => {
  const { model: modelSection, optimizer: optimizerSection, train } = run.config;
  const lossSection = lossSectionOf(run.config, shape, registry);
  const lossRow = rowOf(registry.loss, lossSection);
  let counts: ArrayLike<number> | undefined;
  const loss: Loss = await lossRow.build(lossSection, {
    task: shape.task,
    classCounts: () => (counts ??= classCounts()),
  });
  const outputsPerTarget = lossRow.outputsPerTarget?.(lossSection) ?? 1;
  const model: Model = await rowOf(registry.model, modelSection).build(modelSection, {
    shape,
    outputs: outputsOf(shape.task, { outputsPerTarget }),
    random: (...purpose) => randomStream(run.seed, ...purpose),
    truncation: train.truncation ?? undefined,
    vectors,
    precision: train.precision,
    kernel,
  });
  const shared = commonOf(optimizerSection);
  const optimizer = rowOf(registry.optimizer, optimizerSection);
  const update = await optimizer.build(optimizerSection);
  const names = [...model.variables.keys()];
  const variables = [...model.variables.values()];
  const frozen = new Set([...chosenVariables(train.freeze, names), ...(model.fixed ?? [])]);
  refuseWrongPatterns(train, names);
  /** What is trained, with its optimizer state. */
  const trained = names.flatMap((name, index) => {
    const variable = variables[index];
    return variable && !frozen.has(name) ? [{ name, variable }] : [];
  });
  const slots: Slot[][] = trained.map(({ name, variable }) =>
    optimizer.slots(optimizerSection).map(({ name: slot, fill }) => ({
      key: `optimizer/${slot}/${name}`,
      tensor: tf.keep(filled(variable.shape, fill)),
    })),
  );

  const lossOf = (outputs: tf.Tensor, { targets, weights, batch: { lengths } }: TensorInput) =>
    meanLoss(shape.task, loss, { outputs, targets, lengths, weights });

  const averages = averageWeights(trained, train.ema);
  /** One for each batch of an update. */
  const carried = train.stateful
    ? Array.from({ length: train.accumulate ?? 1 }, () => carryState(model))
    : [];
  const current = names.map((name, index) => [`weights/${name}`, variables[index] as tf.Tensor] as const);
  const weights = (): TrainerTensors =>
    new Map([
      ...current,
      ...averages.tensors().map(({ name, tensor }) => [`weights/${name}`, tensor] as const),
    ]);
  const tensors = (): TrainerTensors =>
    new Map([
      ...current,
      ...slots.flat().map(({ key, tensor }): [string, tf.Tensor] => [key, tensor]),
      ...averages.tensors().map(({ name, tensor }) => [`average/${name}`, tensor] as const),
      ...carried.flatMap((state, at) =>
        state.tensors().map(({ name, tensor }) => [`${carriedKey(at)}${name}`, tensor] as const),
      ),
    ]);

  /** Loss, outputs and gradients of a batch; to be called where tensors are freed. */
  const backward = (
    batch: Batch,
    {
      draw,
      wantOutputs,
      at = 0,
    }: { readonly draw: number; readonly wantOutputs: boolean; readonly at?: number },
  ) => {
    const state = carried[at];
    const input = toTensors(batch, shape);
    let outputs: tf.Tensor | undefined;
    clock.enter('forward');
    const { value, grads } = tf.variableGrads(() => {
      const mode = { training: true, step: draw };
      const given = state ? state.read(input.batch, mode) : model.forward(input.batch, mode);
      if (wantOutputs) outputs = tf.keep(given);
      const scalar = lossOf(given, input);
      clock.enter('backward');
      return scalar;
    }, [...trained.map(({ variable }) => variable)]);
    state?.step();
    clock.enter('update');
    return {
      gradients: trained.map(({ name, variable }) => grads[variable.name] ?? withoutGradient(name)),
      /** Reads loss and outputs back, which waits for the back end. */
      read: () => {
        const read = outputs?.dataSync<'float32'>();
        outputs?.dispose();
        return { loss: value.dataSync<'float32'>()[0] ?? Number.NaN, outputs: read };
      },
    };
  };

  let sums: readonly tf.Tensor[] = [];
  const setSums = (next: readonly tf.Tensor[]) => {
    for (const tensor of sums) tensor.dispose();
    sums = next;
  };

  const applyGradients = (found: readonly tf.Tensor[], step: number, reductions = 0) => {
    const gradients = clipGradients(found, shared);
    const weights = trained.map(({ variable: value }, index) => ({
      value,
      gradient: gradients[index] as tf.Tensor,
      slots: (slots[index] ?? []).map(({ tensor }) => tensor),
    }));
    const next = update(weights, {
      step,
      learningRate: learningRateAt(shared, { step, totalSteps, reductions }),
    });
    trained.forEach(({ variable }, index) => {
      const after = next[index] as NextWeight;
      variable.assign(after.value);
      slots[index]?.forEach((slot, position) => {
        slot.tensor.dispose();
        slot.tensor = tf.keep(after.slots[position] as tf.Tensor);
      });
    });
    averages.add(step);
  };

  return {
    kernel: model.kernel,
    loss,
    classCounts: () => counts,
    parameterCount: variables.reduce((sum, variable) => sum + variable.size, 0),
    tensors,
    weights,
    update: (batch, step, wantOutputs, reductions) =>
      withoutTensors(() => {
        const { gradients, read } = backward(batch, { draw: step, wantOutputs });
        applyGradients(gradients, step, reductions);
        return read();
      }),
    addGradient: (batch, { draw, times, at, wantOutputs }) =>
      withoutTensors(() => {
        const { gradients, read } = backward(batch, { draw, at, wantOutputs });
        const parts = gradients.map((gradient) => tf.mul(gradient, times));
        setSums(parts.map((part, index) => tf.keep(sums[index] ? tf.add(part, sums[index]) : part)));
        return read();
      }),
    updateBySum: (step, { total, reductions }) => {
      withoutTensors(() => {
        applyGradients(
          sums.map((sum) => tf.div(sum, total)),
          step,
          reductions,
        );
        setSums([]);
      });
    },
    changingRate: (at) =>
      changesRate(shared.schedule) ? learningRateAt(shared, { ...at, totalSteps }) : undefined,
    beginPass: () => {
      for (const state of carried) state.reset();
    },
    carryState: () => (train.stateful ? carryState(model) : undefined),
    predict: (batch, state) =>
      withoutTensors(() =>
        averages.during(() => {
          const input = toTensors(batch, shape);
          const outputs = state
            ? readNext(state, input.batch)
            : model.forward(input.batch, { training: false, step: 0 });
          const scalar = lossOf(outputs, input);
          return {
            loss: scalar.dataSync<'float32'>()[0] ?? Number.NaN,
            outputs: outputs.dataSync<'float32'>(),
          };
        }),
      ),
    restore: (stored) => {
      const restored = (key: string) => {
        const found = stored.get(key);
        return found && tf.tensor(found.values, [...found.shape], 'float32');
      };
      variables.forEach((variable, index) => {
        const value = restored(`weights/${names[index] ?? ''}`);
        if (value) variable.assign(value);
        value?.dispose();
      });
      for (const slot of slots.flat()) {
        const value = restored(slot.key);
        if (!value) continue;
        slot.tensor.dispose();
        slot.tensor = tf.keep(value);
      }
      averages.restore((name) => restored(`average/${name}`));
      carried.forEach((state, at) => {
        state.restore((name) => stored.get(`${carriedKey(at)}${name}`));
      });
    },
    dispose: () => {
      setSums([]);
      averages.dispose();
      for (const state of carried) state.reset();
      variables.forEach((variable) => variable.dispose());
      slots.flat().forEach(({ tensor }) => tensor.dispose());
    },
  };
};

/** What the names of the state begin with that is carried by a batch of an update. */
const carriedKey = (at: number): string => `carried/${at}/`;

/** As `tf.fill`, without an operation of TensorFlow, which takes longer for the slots of a small network. */
const filled = (shape: readonly number[], value: number): tf.Tensor =>
  tf.tensor(new Float32Array(tf.util.sizeFromShape([...shape])).fill(value), [...shape], 'float32');

const withoutGradient = (name: string): never => {
  throw new Error(`the weight ${name} has no influence on the outputs, so it cannot be trained`);
};

/** Of a model of the user's own, the names are known only now. */
const refuseWrongPatterns = ({ freeze, reinitialize }: TrainConfig, names: readonly string[]): void => {
  const [wrong] = [
    ...checkPatterns('freeze', freeze, names),
    ...checkPatterns('reinitialize', reinitialize, names),
  ];
  if (wrong) throw new Error(`train.${wrong.path}: ${wrong.message} There are ${wrong.expected ?? ''}.`);
  if (chosenVariables(freeze, names).size === names.length)
    throw new Error('train.freeze leaves nothing to train: every variable of the network is frozen');
};

/** The loss of a configuration: that of its task where the spec names none. */
export const lossSectionOf = (
  { loss }: Pick<Run['config'], 'loss'>,
  { task }: SequenceShape,
  registry: Registry,
): NonNullable<Run['config']['loss']> => {
  if (loss) return loss;
  const name = defaultLoss(task);
  return { name, ...(presetsOf(rowOf(registry.loss, { name })) as Readonly<Record<string, Json>>) };
};

const alike =
  ({ task }: SequenceShape) =>
  () =>
    new Float64Array(isClassTask(task) ? task.classes : 0).fill(1);
