import { readFileSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { isClassTask, type Task } from '../../src/data/task.ts';
import type { Loss, LossRow } from '../../src/losses/loss.ts';
import { meanLoss } from '../../src/losses/mean-loss.ts';
import { presetsOf } from '../../src/parameters/row.ts';
import { losses } from '../../src/registry/rows.ts';
import { loadTensorFlow } from '../../src/tensorflow/load.ts';

beforeAll(async () => {
  await loadTensorFlow();
});

interface Case {
  readonly title: string;
  readonly loss: { readonly name: keyof typeof losses; readonly [parameter: string]: unknown };
  readonly task: Task;
  readonly outputs: number[][];
  readonly targets: number[] | number[][];
  readonly value: number;
  readonly gradient: number[][];
}

/** Made by fixtures/losses/make.py from the formulas, in float64; with --torch it compares them with PyTorch. */
const cases = JSON.parse(
  readFileSync(new URL('../fixtures/losses/losses.json', import.meta.url), 'utf8'),
) as readonly Case[];

const build = async ({ name, ...chosen }: Case['loss'], task: Task): Promise<Loss> => {
  const row: LossRow = losses[name];
  return row.build({ ...presetsOf(row), ...chosen }, { task, classCounts: () => [1, 2, 3, 0] });
};

const targetsOf = (task: Task, targets: Case['targets']) =>
  isClassTask(task) ? tf.tensor1d(targets as number[], 'int32') : tf.tensor2d(targets);

/** Float32 against float64. */
const tolerance = (value: number) => 2e-6 * Math.max(1, Math.abs(value));

describe.each(cases)('$loss.name, $title', ({ loss: section, task, outputs, targets, value, gradient }) => {
  test('has the value and the gradient of its formula', async () => {
    const loss = await build(section, task);
    const ofOutputs = (given: tf.Tensor) =>
      meanLoss(task, loss, { outputs: given, targets: targetsOf(task, targets), lengths: undefined });
    const given = tf.tensor2d(outputs);
    const found = ofOutputs(given).dataSync()[0] as number;
    expect(Math.abs(found - value)).toBeLessThan(tolerance(value));
    const slopes = tf.grad(ofOutputs)(given).arraySync() as number[][];
    for (const [row, wanted] of gradient.entries())
      for (const [at, slope] of wanted.entries())
        expect(Math.abs((slopes[row]?.[at] as number) - slope)).toBeLessThan(tolerance(slope));
  });
});

test('weights of examples and steps past the length decide what counts, whatever the loss', async () => {
  const task = { kind: 'regression', outputs: 1, perStep: true } as const;
  const loss = await build({ name: 'mae' }, task);
  const input = {
    outputs: tf.tensor3d([1, 2, 9, 4, 9, 9], [2, 3, 1]),
    targets: tf.tensor3d([0, 0, 0, 0, 0, 0], [2, 3, 1]),
    lengths: tf.tensor1d([2, 1], 'int32'),
  };
  const of = (weights?: number[]) =>
    meanLoss(task, loss, { ...input, weights: weights && tf.tensor1d(weights) }).dataSync()[0];
  expect(of()).toBeCloseTo((1 + 2 + 4) / 3, 6);
  expect(of([1, 1])).toBeCloseTo((1 + 2 + 4) / 3, 6);
  expect(of([1, 5])).toBeCloseTo((1 + 2 + 5 * 4) / 7, 6);
  expect(of([0, 0])).toBe(0);
});

test('quantiles never cross, and the middle one is an output', async () => {
  const quantiles = [0.1, 0.3, 0.6, 0.9];
  const { predictions } = await build({ name: 'quantile', quantiles }, { kind: 'regression', outputs: 1 });
  const raw = Float32Array.from({ length: 400 }, (_, at) => 40 * Math.sin(at * 12.9898));
  const found = predictions?.(raw) as Float32Array;
  for (let from = 0; from < raw.length; from += 4) {
    expect([...found.subarray(from, from + 4)]).toEqual(
      [...found.subarray(from, from + 4)].sort((a, b) => a - b),
    );
    expect(found[from + 2]).toBe(raw[from + 2]);
  }
});

test('the predictions of the poisson loss are rates', async () => {
  const { predictions } = await build({ name: 'poisson' }, { kind: 'regression', outputs: 1 });
  expect(predictions?.(Float32Array.of(0, -50))).toEqual(Float32Array.of(1, Math.exp(-50)));
});
