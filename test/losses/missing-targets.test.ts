import * as tf from '@tensorflow/tfjs-core';
import { expect, test } from 'vitest';
import type { Task } from '../../src/data/task.ts';
import { meanLoss } from '../../src/losses/mean-loss.ts';
import { mse } from '../../src/losses/mse.ts';
import { loadTensorFlow } from '../../src/tensorflow/load.ts';

await loadTensorFlow();

const task: Task = { kind: 'forecast', horizon: 2, targets: ['y'], hasGaps: true };

/** The loss and its slope at each output. */
const lossAt = async (outputs: number[][], targets: number[][], weights?: number[]) => {
  const loss = await mse.build();
  const slopes = tf.valueAndGrad((given: tf.Tensor) =>
    meanLoss(task, loss, {
      outputs: given,
      targets: tf.tensor2d(targets),
      lengths: undefined,
      weights: weights && tf.tensor1d(weights),
    }),
  );
  const { value, grad } = slopes(tf.tensor2d(outputs));
  return { value: value.dataSync()[0], grad: [...grad.dataSync()] };
};

test('a missing target counts neither in the loss nor in its slope', async () => {
  const { value, grad } = await lossAt(
    [
      [3, 9],
      [1, 5],
    ],
    [
      [1, NaN],
      [1, 4],
    ],
  );
  // Of the three targets that are there: (4 + 0 + 1) / 3.
  expect(value).toBeCloseTo(5 / 3, 6);
  expect(grad[0]).toBeCloseTo(4 / 3, 6);
  expect(grad.slice(1)).toEqual([0, 0, expect.closeTo(2 / 3, 6) as number]);
});

test('a batch without any target has the loss 0, and weights count by example', async () => {
  expect(await lossAt([[3, 9]], [[NaN, NaN]])).toEqual({ value: 0, grad: [0, 0] });
  const { value } = await lossAt(
    [
      [3, 9],
      [1, 5],
    ],
    [
      [1, NaN],
      [1, 4],
    ],
    [2, 1],
  );
  // (2 x 4 + 0 + 1) / (2 + 1 + 1).
  expect(value).toBeCloseTo(9 / 4, 6);
});
