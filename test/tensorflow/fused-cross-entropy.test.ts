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

/** Loss, and the gradient of `factor` times the loss; where it is 1, the loss is the end of the tape. */
const run = (logits: number[][], labels: number[], factor = 3) =>
  tf.tidy(() => {
    const { value, grad } = tf.valueAndGrad((given: tf.Tensor) => {
      const loss = fusedCrossEntropy(given as tf.Tensor2D, tf.tensor1d(labels, 'int32'));
      return factor === 1 ? loss : tf.mul(loss, factor);
    })(tf.tensor2d(logits));
    return { loss: (value.dataSync()[0] ?? Number.NaN) / factor, gradient: grad.arraySync() as number[][] };
  });

describe.skipIf(!kernels.available)(`fused cross-entropy${why}`, () => {
  // The last one is more than two threads take at once.
  test.each([
    [1, 1, 3],
    [5, 2, 3],
    [32, 10, 1],
    [32, 10, 3],
    [7, 50, 1],
    [3, 20_011, 3],
  ])('computes its formula for %d rows of %d classes, %d times', (rows, classes, factor) => {
    const { logits, labels } = draw(rows, classes);
    const found = run(logits, labels, factor);
    let [loss, apart] = [0, 0];
    for (const [row, values] of logits.entries()) {
      const label = labels[row] ?? 0;
      const sum = values.reduce((total, value) => total + Math.exp(value), 0);
      loss += (Math.log(sum) - (values[label] ?? 0)) / rows;
      for (const [index, value] of values.entries()) {
        const slope = (factor / rows) * (Math.exp(value) / sum - (index === label ? 1 : 0));
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
