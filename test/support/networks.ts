import * as tf from '@tensorflow/tfjs-core';
import type { Scalar, Tensor, Tensor1D } from '@tensorflow/tfjs-core';
import { randomStream, type Random } from '../../src/data/random.ts';
import { outputsOf } from '../../src/data/task.ts';
import type { SequenceShape } from '../../src/data/dataset.ts';
import { gru, type GruParameters } from '../../src/models/gru.ts';
import { lstm, type LstmParameters } from '../../src/models/lstm.ts';
import type { Model, ModelRow, TensorBatch, Truncation } from '../../src/models/model.ts';
import { simpleRnn, type SimpleRnnParameters } from '../../src/models/simple-rnn.ts';

export const rows = { lstm, gru, 'simple-rnn': simpleRnn } as const satisfies Record<string, ModelRow>;
export type CellName = keyof typeof rows;
export const cellNames = Object.keys(rows) as CellName[];

export type AnyParameters = LstmParameters & GruParameters & SimpleRnnParameters;

/** The row's defaults with some parameters changed. */
export const parametersOf = (name: CellName, changed: Partial<AnyParameters> = {}): AnyParameters => ({
  ...(Object.fromEntries(
    Object.entries(rows[name].parameters.properties).map(([key, schema]) => [
      key,
      (schema as { default: unknown }).default,
    ]),
  ) as unknown as AnyParameters),
  ...changed,
});

export const shapeOf = (changed: Partial<SequenceShape> = {}): SequenceShape => ({
  steps: 6,
  input: { kind: 'values', features: 2 },
  variableLength: true,
  task: { kind: 'classification', classes: 2 },
  ...changed,
});

export interface NetworkSetting {
  readonly name: CellName;
  readonly parameters?: Partial<AnyParameters>;
  readonly shape?: Partial<SequenceShape>;
  readonly truncation?: Truncation;
  readonly seed?: number;
  /** Of the training; the default where absent. */
  readonly kernel?: string;
}

export const buildModel = ({
  name,
  parameters,
  shape,
  truncation,
  seed = 1,
  kernel,
}: NetworkSetting): Promise<Model> =>
  (rows[name] as ModelRow).build(parametersOf(name, parameters), {
    shape: shapeOf(shape),
    outputs: outputsOf(shapeOf(shape).task),
    random: (...purpose) => randomStream(seed, ...purpose),
    truncation,
    kernel,
  });

/** Numbers that are neither zero nor equal, so that no weight is without effect. */
export const numbers = (random: Random, size: number): Float32Array =>
  Float32Array.from({ length: size }, () => random.uniform() * 1.6 - 0.8);

/** Draws every weight anew, biases and gains too: what starts at zero or one would hide mistakes. */
export const scatterWeights = (model: Model): void => {
  for (const [name, variable] of model.variables) {
    const values = numbers(randomStream(7, name), variable.size);
    tf.tidy(() => variable.assign(tf.tensor(values, variable.shape)));
  }
};

/** The weighted sum of everything that a network puts out within the lengths, and its gradient by each weight. */
export const lossAndGradients = (
  model: Model,
  batch: TensorBatch,
  {
    lossWeights,
    step = 1,
    training = true,
  }: { lossWeights: Float32Array; step?: number; training?: boolean },
): { value: number; outputs: Float32Array; gradients: Map<string, Float32Array> } => {
  const variables = [...model.variables.values()];
  let outputs = new Float32Array();
  const loss = (): Scalar => {
    const found = model.forward(batch, { training, step });
    outputs = found.dataSync<'float32'>().slice();
    return tf.sum(tf.mul(found, tf.tensor(lossWeights, found.shape)));
  };
  const { value, grads } = tf.variableGrads(loss, variables);
  const gradients = new Map(
    [...model.variables].map(([name, variable]) => [
      name,
      (grads[variable.name] as Tensor).dataSync<'float32'>().slice(),
    ]),
  );
  const [number = NaN] = value.dataSync();
  tf.dispose([value, grads]);
  return { value: number, outputs, gradients };
};

export const intTensor = (values: readonly number[]): Tensor1D => tf.tensor1d([...values], 'int32');

/** The largest difference between two lists of numbers, NaN where their lengths differ. */
export const largestDifference = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  if (a.length !== b.length) return NaN;
  let largest = 0;
  for (let at = 0; at < a.length; at++) {
    const difference = Math.abs((a[at] ?? NaN) - (b[at] ?? NaN));
    if (!(difference <= largest)) largest = difference;
  }
  return largest;
};
