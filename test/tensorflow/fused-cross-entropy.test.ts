import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, test } from 'vitest';
import { randomStream } from '../../src/data/random.ts';
import { fusedCrossEntropy } from '../../src/tensorflow/kernels/fused-cross-entropy.ts';
import { fusedKernels } from '../../src/tensorflow/kernels/fused-kernels.ts';
import { loadTensorFlow } from '../../src/tensorflow/load.ts';

await loadTensorFlow();
const kernels = fusedKernels();
const why = kernels.available ? '' : ` (left out: ${kernels.reason})`;

const draw = (rows: number, classes: number) => {
  const random = randomStream(1, 'logits');
  const logits = Array.from({ length: rows }, () =>
    Array.from({ length: classes }, () => Math.fround(4 * random.normal())),
  );
  return { logits, labels: logits.map(() => random.integer(classes)) };
};

/** Loss and its gradient of three times the loss. */
const run = (logits: number[][], labels: number[]) =>
  tf.tidy(() => {
    const { value, grad } = tf.valueAndGrad((given: tf.Tensor) =>
      tf.mul(fusedCrossEntropy(given as tf.Tensor2D, tf.tensor1d(labels, 'int32')), 3),
    )(tf.tensor2d(logits));
    return { loss: (value.dataSync()[0] ?? Number.NaN) / 3, gradient: grad.arraySync() as number[][] };
  });

describe.skipIf(!kernels.available)(`fused cross-entropy${why}`, () => {
  // The last one is more than two threads take at once.
  test.each([
    [1, 1],
    [5, 2],
    [32, 10],
    [7, 50],
    [3, 20_011],
  ])('computes its formula for %d rows of %d classes', (rows, classes) => {
    const { logits, labels } = draw(rows, classes);
    const found = run(logits, labels);
    let [loss, apart] = [0, 0];
    for (const [row, values] of logits.entries()) {
      const label = labels[row] ?? 0;
      const sum = values.reduce((total, value) => total + Math.exp(value), 0);
      loss += (Math.log(sum) - (values[label] ?? 0)) / rows;
      for (const [index, value] of values.entries()) {
        const slope = (3 / rows) * (Math.exp(value) / sum - (index === label ? 1 : 0));
        apart = Math.max(apart, Math.abs((found.gradient[row]?.[index] ?? Number.NaN) - slope));
      }
    }
    expect(Math.abs(found.loss - loss)).toBeLessThan(2e-6 * Math.max(1, loss));
    expect(apart).toBeLessThan(1e-6);
  });

  test('stays finite for huge logits and shows what is no number', () => {
    expect(run([[1e30, 0, -1e30]], [0])).toEqual({
      loss: 0,
      gradient: [[0, expect.closeTo(0), expect.closeTo(0)]],
    });
    expect(run([[1e30, 1]], [1]).loss).toBeCloseTo(1e30, -25);
    expect(run([[Number.NaN, 0]], [1]).loss).toBeNaN();
    expect(run([[0, Number.NaN]], [0]).loss).toBeNaN();
    expect(run([[0, Infinity]], [0]).loss).toBeNaN();
  });

  test('says what is wrong with a call', () => {
    expect(() => run([[1, 2]], [2])).toThrow('UnrollCrossEntropy: A label must be from 0 to 1, not 2');
    expect(() => run([[1, 2]], [-1])).toThrow('A label must be from 0 to 1, not -1');
    expect(() => run([[1, 2]], [0, 1])).toThrow('labels must have the shape [1], not [2]');
  });
});
