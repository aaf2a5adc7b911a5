import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Task } from '../../src/data/task.ts';
import { defaultLoss, type Loss, type LossRow } from '../../src/losses/loss.ts';
import { meanLoss, type LossInput } from '../../src/losses/mean-loss.ts';
import { presetsOf } from '../../src/parameters/row.ts';
import { losses } from '../../src/registry/rows.ts';
import { loadTensorFlow } from '../../src/tensorflow/load.ts';

const built: Record<string, Loss> = {};

beforeAll(async () => {
  await loadTensorFlow();
  for (const [name, row] of Object.entries<LossRow>(losses))
    built[name] = await row.build(presetsOf(row), {
      task: { kind: 'classification', classes: 3 },
      classCounts: () => [1, 1, 1],
    });
});

/** The loss that a task has by default. */
const lossOf = (task: Task, input: LossInput) => meanLoss(task, built[defaultLoss(task)] as Loss, input);

/** Softmax cross-entropy of one row, in plain numbers. */
const crossEntropy = (logits: readonly number[], label: number): number => {
  const largest = Math.max(...logits);
  const total = logits.reduce((sum, logit) => sum + Math.exp(logit - largest), 0);
  return Math.log(total) + largest - (logits[label] ?? 0);
};

const softmax = (logits: readonly number[]): number[] => {
  const total = logits.reduce((sum, logit) => sum + Math.exp(logit), 0);
  return logits.map((logit) => Math.exp(logit) / total);
};

describe('the loss of a classification', () => {
  const rows = [
    [1, 2, -1],
    [0.5, -3, 0.25],
  ];
  const labels = [2, 0];
  const loss = (logits: tf.Tensor) =>
    lossOf(
      { kind: 'classification', classes: 3 },
      { outputs: logits, targets: tf.tensor1d(labels, 'int32'), lengths: undefined },
    );

  test('is the mean cross-entropy', () => {
    const expected = rows.reduce((sum, row, index) => sum + crossEntropy(row, labels[index] ?? 0), 0) / 2;
    expect(loss(tf.tensor2d(rows)).dataSync()[0]).toBeCloseTo(expected, 6);
  });

  test('has the gradient softmax minus one-hot, over the batch', () => {
    const gradient = tf
      .grad((logits) => loss(logits))(tf.tensor2d(rows))
      .arraySync() as number[][];
    rows.forEach((row, index) => {
      softmax(row).forEach((probability, label) => {
        const expected = (probability - (labels[index] === label ? 1 : 0)) / 2;
        expect(gradient[index]?.[label]).toBeCloseTo(expected, 6);
      });
    });
  });
});

test('steps past the length do not count in a labelling', () => {
  const outputs = tf.tensor3d([
    [
      [1, 0],
      [3, -1],
      [9, 9],
    ],
    [
      [0, 2],
      [5, 5],
      [7, 7],
    ],
  ]);
  const loss = lossOf(
    { kind: 'labelling', classes: 2 },
    {
      outputs,
      targets: tf.tensor2d(
        [
          [0, 1, 0],
          [0, 1, 1],
        ],
        [2, 3],
        'int32',
      ),
      lengths: tf.tensor1d([2, 1], 'int32'),
    },
  );
  const expected = (crossEntropy([1, 0], 0) + crossEntropy([3, -1], 1) + crossEntropy([0, 2], 0)) / 3;
  expect(loss.dataSync()[0]).toBeCloseTo(expected, 6);
});

test('a regression has the mean squared error', () => {
  const outputs = tf.tensor2d([[1], [4]]);
  const targets = tf.tensor2d([[0], [6]]);
  const loss = lossOf({ kind: 'regression', outputs: 1 }, { outputs, targets, lengths: undefined });
  expect(loss.dataSync()[0]).toBe(2.5);
});
