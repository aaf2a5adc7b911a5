import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { clipGradients, type Clipping } from '../../src/optimizers/clipping.ts';
import { loadTensorFlow } from '../../src/tensorflow/load.ts';

beforeAll(async () => {
  await loadTensorFlow();
});

const clip = (gradients: readonly number[][], clipping: Partial<Clipping>): number[][] =>
  tf.tidy(() =>
    clipGradients(
      gradients.map((values) => tf.tensor1d(values)),
      { clipNorm: null, clipValue: null, ...clipping },
    ).map((tensor) => [...tensor.dataSync()]),
  );

describe('clipGradients', () => {
  it('leaves gradients alone without a limit', () => {
    expect(clip([[3, -4], [12]], {})).toEqual([[3, -4], [12]]);
  });

  it('scales all gradients together to the norm', () => {
    // The common norm of (3, -4, 12) is 13.
    expect(clip([[3, -4], [12]], { clipNorm: 6.5 })).toEqual([[1.5, -2], [6]]);
  });

  it('leaves gradients within the norm exactly as they are', () => {
    expect(clip([[0.1, -0.7], [0.3]], { clipNorm: 5 })).toEqual(
      [[0.1, -0.7], [0.3]].map((values) => values.map(Math.fround)),
    );
    expect(clip([[0], [0]], { clipNorm: 1 })).toEqual([[0], [0]]);
  });

  it('cuts single numbers', () => {
    expect(clip([[3, -4], [0.5]], { clipValue: 1 })).toEqual([[1, -1], [0.5]]);
  });

  it('cuts single numbers before it takes the norm', () => {
    expect(clip([[30, -40], [0]], { clipValue: 1, clipNorm: Math.SQRT1_2 })).toEqual([[0.5, -0.5], [0]]);
  });

  it('does not hide a gradient that is not finite', () => {
    expect(clip([[NaN, 1], [2]], { clipNorm: 1 }).flat()).toEqual([NaN, NaN, NaN]);
    expect(clip([[Infinity, 1]], { clipNorm: 1 })[0]?.[0]).toBeNaN();
  });
});
