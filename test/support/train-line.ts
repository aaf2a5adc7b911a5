// Fits y = 2x - 1 by gradient descent on whatever back end the environment gives, and prints what came out.
import * as tf from '@tensorflow/tfjs-core';
import { loadTensorFlow } from '../../src/tensorflow/load.ts';

const backend = await loadTensorFlow(process.env['TEST_ADDON']);
const inputs = tf.tensor2d([[-1], [0], [1], [2]]);
const targets = tf.tensor2d([[-3], [-1], [1], [3]]);
const weight = tf.variable(tf.zeros([1, 1]));
const bias = tf.variable(tf.zeros([1]));
const loss = (): tf.Scalar => tf.mean(tf.square(tf.sub(tf.add(tf.matMul(inputs, weight), bias), targets)));

const before = tf.memory().numTensors;
for (let step = 0; step < 200; step++) {
  tf.tidy(() => {
    const { grads } = tf.variableGrads(loss, [weight, bias]);
    for (const variable of [weight, bias])
      variable.assign(tf.sub(variable, tf.mul(grads[variable.name] as tf.Tensor, 0.1)));
  });
}
process.stdout.write(
  JSON.stringify({
    backend,
    weight: weight.dataSync()[0],
    bias: bias.dataSync()[0],
    leaked: tf.memory().numTensors - before,
  }),
);
