import * as tf from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { recordOperation } from '../../src/tensorflow/kernels/record.ts';
import { loadTensorFlow } from '../../src/tensorflow/load.ts';

await loadTensorFlow();

let before = 0;
beforeEach(() => {
  before = tf.memory().numTensors;
});
afterEach(() => {
  expect(tf.memory().numTensors).toBe(before);
});

/** Square and cube of `x`, with what `backward` was given for each of them. */
const powers = (x: Tensor, seen: (Tensor | undefined)[] = []) =>
  recordOperation(
    { x },
    {
      forward: (save) => {
        const square = tf.mul(x, x);
        save([square, x]);
        return [square, tf.mul(square, x)];
      },
      backward: ([ofSquare, ofCube], saved) => {
        const [square, given] = saved as [Tensor, Tensor];
        seen.push(ofSquare, ofCube);
        const parts = [
          ...(ofSquare ? [tf.mul(ofSquare, tf.mul(given, 2))] : []),
          ...(ofCube ? [tf.mul(ofCube, tf.mul(square, 3))] : []),
        ];
        return { x: tf.addN(parts) };
      },
    },
  ) as [Tensor, Tensor];

test('the gradient of an output that is not used is not there', () => {
  const seen: (Tensor | undefined)[] = [];
  const slope = (of: (square: Tensor, cube: Tensor) => Tensor) =>
    tf.tidy(() => [
      ...tf
        .grad((x) => of(...powers(x, seen)))(tf.tensor1d([2, -3]))
        .dataSync(),
    ]);
  expect(slope((_, cube) => cube)).toEqual([12, 27]);
  expect(seen.map((one) => one === undefined)).toEqual([true, false]);
  expect(slope((square) => square)).toEqual([4, -6]);
  expect(slope((square, cube) => tf.add(square, cube))).toEqual([16, 21]);
});

test('what is saved outlives the forward pass, also where it comes from another operation', () => {
  const fourth = (x: Tensor) => powers(powers(x)[0])[0];
  tf.tidy(() => {
    expect([
      ...tf
        .grad(fourth)(tf.tensor1d([2, -1]))
        .dataSync(),
    ]).toEqual([32, -4]);
  });
});

test('an operation that fails leaves the tape as it was', () => {
  const failing = () =>
    recordOperation(
      {},
      {
        forward: () => {
          throw new Error('no luck');
        },
        backward: () => ({}),
      },
    );
  tf.tidy(() => {
    const slope = tf.grad((x) => {
      expect(failing).toThrow('no luck');
      return tf.square(x);
    })(tf.scalar(3));
    expect(slope.dataSync()[0]).toBe(6);
  });
});
