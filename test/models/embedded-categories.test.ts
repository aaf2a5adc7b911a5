import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, expect, it } from 'vitest';
import type { DatasetRow, SequenceShape } from '../../src/data/dataset.ts';
import { validateSpec } from '../../src/language/validate-spec.ts';
import type { Model, ModelRow } from '../../src/models/model.ts';
import { unrollSpec } from '../../src/plan/plan-experiment.ts';
import type { Registry } from '../../src/registry/rows.ts';
import { loadTensorFlow } from '../../src/tensorflow/load.ts';
import {
  buildModel,
  intTensor,
  largestDifference,
  lossAndGradients,
  scatterWeights,
  shapeOf,
} from '../support/networks.ts';
import { testRegistry } from '../support/registry.ts';
import { documentOf, specText } from '../support/spec.ts';

beforeAll(() => loadTensorFlow());

/** A number, a column of three categories in vectors of two, and another number. */
const embedded: Partial<SequenceShape> = {
  steps: 3,
  input: { kind: 'values', features: 3, embedded: [{ feature: 1, name: 'w', categories: 3, size: 2 }] },
};
/** The same with an input for each category. */
const oneHot: Partial<SequenceShape> = { steps: 3, input: { kind: 'values', features: 5 } };

const categories = [
  [2, 0, 1],
  [1, 1, 0],
];
const lengths = [3, 2];

const inputs = (of: (category: number, number: number) => number[]) =>
  tf.tensor3d(categories.map((row, at) => row.map((category, step) => of(category, at + step / 4))));

const rowsOf = (model: Model, name: string): number[][] =>
  (model.variables.get(name) as tf.Tensor).arraySync() as number[][];

const product = (a: readonly (readonly number[])[], b: readonly (readonly number[])[]): number[][] =>
  a.map((row) =>
    (b[0] ?? []).map((_, at) => row.reduce((sum, one, k) => sum + one * (b[k]?.[at] ?? NaN), 0)),
  );

it('computes what one-hot inputs compute with the products of the vectors, and their gradients', async () => {
  const parameters = { hiddenSize: 4 };
  const model = await buildModel({ name: 'lstm', parameters, shape: embedded });
  const plain = await buildModel({ name: 'lstm', parameters, shape: oneHot });
  expect([...model.variables.keys()].slice(0, 2)).toEqual(['embedding/w', 'layer1/forward/kernel']);
  // Nothing has been learnt of an unknown category.
  expect(rowsOf(model, 'embedding/w')[0]).toEqual([0, 0]);
  expect(rowsOf(model, 'embedding/w')[1]).not.toEqual([0, 0]);
  scatterWeights(model);
  const table = rowsOf(model, 'embedding/w');
  // Rows: the two numbers, the vector, the hidden state.
  const kernel = rowsOf(model, 'layer1/forward/kernel');
  const ofVector = kernel.slice(2, 4);
  for (const [name, variable] of plain.variables) {
    const values =
      name === 'layer1/forward/kernel'
        ? tf.tensor([...kernel.slice(0, 2), ...product(table, ofVector), ...kernel.slice(4)])
        : (model.variables.get(name) as tf.Tensor);
    variable.assign(values);
  }
  const lossWeights = Float32Array.of(0.3, -0.7, 0.2, 0.9);
  const read = (one: Model, given: tf.Tensor) =>
    lossAndGradients(one, { inputs: given, lengths: intTensor(lengths) }, { lossWeights });
  const found = read(
    model,
    inputs((category, number) => [number, category, -number]),
  );
  const expected = read(
    plain,
    inputs((category, number) => [number, -number, ...[0, 1, 2].map((one) => Number(one === category))]),
  );
  expect(largestDifference(found.outputs, expected.outputs)).toBeLessThan(1e-6);
  const gradient = expected.gradients.get('layer1/forward/kernel') ?? new Float32Array();
  const width = kernel[0]?.length ?? 0;
  const ofCategories = [2, 3, 4].map((row) => [...gradient.subarray(row * width, (row + 1) * width)]);
  const transposed = (ofVector[0] ?? []).map((_, at) => ofVector.map((row) => row[at] ?? NaN));
  const wanted = product(ofCategories, transposed).flat();
  expect(Math.max(...wanted.map(Math.abs))).toBeGreaterThan(1e-3);
  expect(largestDifference(found.gradients.get('embedding/w') ?? [], wanted)).toBeLessThan(1e-6);
});

it('is not left to a model that would take the index of a category for a number', async () => {
  const { dataset, model } = testRegistry;
  const data = dataset['mnist-rows'] as DatasetRow;
  const issuesWith = async (lstm: ModelRow) => {
    const registry: Registry = {
      ...testRegistry,
      dataset: { 'mnist-rows': { ...data, shape: () => ({ ...shapeOf(embedded), steps: 3 }) } },
      model: { lstm },
    };
    const spec = validateSpec(documentOf(specText()), registry);
    if (!spec.ok) throw new Error(spec.errors[0]?.message);
    const plan = await unrollSpec(spec.value, { cores: 2 });
    return plan.ok ? [] : plan.errors.map(({ message, got }) => [message, got]);
  };
  const lstm = model['lstm'] as ModelRow;
  expect(await issuesWith(lstm)).toEqual([
    ['The model lstm does not embed categories.', 'the embedded column "w"'],
  ]);
  expect(await issuesWith({ ...lstm, embedsCategories: true })).toEqual([]);
});
