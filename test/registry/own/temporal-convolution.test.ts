import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, expect, it } from 'vitest';
import { temporalConvolution } from '../../../examples/own-model/temporal-convolution.ts';
import type { SequenceShape } from '../../../src/data/dataset.ts';
import { outputsOf } from '../../../src/data/task.ts';
import { randomStream } from '../../../src/data/random.ts';
import type { Model } from '../../../src/models/model.ts';
import { modelRow } from '../../../src/registry/own/rows.ts';
import { loadTensorFlow } from '../../../src/tensorflow/load.ts';
import { numbers, scatterWeights, shapeOf } from '../../support/networks.ts';

beforeAll(() => loadTensorFlow());

const parameters = { filters: 5, kernelSize: 3, blocks: 2 };

const build = (shape: SequenceShape): Promise<Model> =>
  modelRow(temporalConvolution, { file: 'x.ts', digest: '', files: new Set() }).build(parameters, {
    shape,
    outputs: outputsOf(shape.task),
    random: (...purpose) => randomStream(1, ...purpose),
    truncation: undefined,
  });

const lengths = [6, 1, 4];
const mode = { training: false, step: 0 };

const batchOf = (values: Float32Array) => ({
  inputs: tf.tensor3d(values, [3, 6, 2]),
  lengths: tf.tensor1d(lengths, 'int32'),
});

it('reads nothing past the length of a sequence', async () => {
  const model = await build(shapeOf());
  const values = numbers(randomStream(1, 'values'), 36);
  const changed = values.map((value, index) => {
    const [row, step] = [Math.floor(index / 12), Math.floor((index % 12) / 2)];
    return step >= (lengths[row] ?? 0) ? 100 : value;
  });
  expect(changed).not.toEqual(values);
  const [one, other] = [values, changed].map((given) => model.forward(batchOf(given), mode).arraySync());
  expect(other).toEqual(one);
});

it('has the gradient that difference quotients say', async () => {
  const model = await build(shapeOf());
  scatterWeights(model);
  const batch = batchOf(numbers(randomStream(1, 'values'), 36));
  const mix = tf.tensor2d(numbers(randomStream(3, 'mix'), 6), [3, 2]);
  const loss = () => tf.sum(tf.mul(model.forward(batch, mode), mix));
  const variables = [...model.variables.values()];
  const { grads } = tf.variableGrads(loss as () => tf.Scalar, variables);
  const random = randomStream(4, 'entries');
  const delta = 1e-2;
  for (const [name, variable] of model.variables) {
    const values = Float32Array.from(variable.dataSync());
    const gradient = grads[variable.name]?.dataSync() ?? [];
    for (let tries = 0; tries < 5; tries++) {
      const at = random.integer(values.length);
      const lossAt = (value: number) => {
        const moved = values.slice();
        moved[at] = value;
        variable.assign(tf.tensor(moved, variable.shape));
        return loss().dataSync()[0] ?? Number.NaN;
      };
      const here = values[at] ?? 0;
      const quotient = (lossAt(here + delta) - lossAt(here - delta)) / (2 * delta);
      variable.assign(tf.tensor(values, variable.shape));
      expect(Math.abs(quotient - (gradient[at] ?? Number.NaN)), `${name}[${at}]`).toBeLessThan(5e-3);
    }
  }
});
