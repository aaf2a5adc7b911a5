import { expect, test } from 'vitest';
import * as tf from '@tensorflow/tfjs-core';
import { loadTensorFlow } from '../../src/tensorflow/load.ts';

test('the native back end multiplies matrices', async () => {
  const backend = await loadTensorFlow();
  expect(backend.name).toBe('tensorflow');
  expect(tf.matMul(tf.ones([2, 3]), tf.ones([3, 2])).arraySync()).toEqual([
    [3, 3],
    [3, 3],
  ]);
});
