import { createHash } from 'node:crypto';
import * as tf from '@tensorflow/tfjs-core';
import type { Tensor, Tensor1D, Tensor2D, Tensor3D } from '@tensorflow/tfjs-core';
import { randomStream } from '../../src/data/random.ts';
import { fusedKernels } from '../../src/tensorflow/kernels/fused-kernels.ts';
import { fusedLstm } from '../../src/tensorflow/kernels/fused-lstm.ts';
import { loadTensorFlow } from '../../src/tensorflow/load.ts';

/** A process of its own: prints which kernels it has, and a digest of their results and gradients. */

const draw = (name: string, shape: number[]): Tensor => {
  const random = randomStream(1, name);
  return tf.tensor(
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random.normal() / 4),
    shape,
  );
};

await loadTensorFlow();
const kernels = fusedKernels();
const hash = createHash('sha256');
for (const [batch, time, features, hidden] of [
  [3, 5, 2, 5],
  [37, 9, 28, 100],
] as const) {
  const given = [
    draw('inputs', [batch, time, features]),
    draw('kernel', [features + hidden, 4 * hidden]),
    draw('bias', [4 * hidden]),
  ];
  const gradients = tf.valueAndGrads((...[inputs, kernel, bias]: Tensor[]) => {
    const { outputs, finalCell } = fusedLstm.run({
      inputs: inputs as Tensor3D,
      kernel: kernel as Tensor2D,
      bias: bias as Tensor1D,
      forgetBias: 1,
      reverse: false,
      returns: 'all',
    });
    hash.update(new Uint8Array((outputs as Tensor).dataSync().slice().buffer));
    return tf.sum(tf.square(outputs as Tensor)).add(tf.sum(finalCell));
  })(given).grads;
  for (const gradient of gradients) hash.update(new Uint8Array(gradient.dataSync().slice().buffer));
}
process.stdout.write(JSON.stringify({ ...kernels, digest: hash.digest('hex') }));
