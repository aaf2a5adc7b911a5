import { createHash } from 'node:crypto';
import * as tf from '@tensorflow/tfjs-core';
import type { Tensor, Tensor1D, Tensor2D, Tensor3D } from '@tensorflow/tfjs-core';
import { randomStream } from '../../src/data/random.ts';
import { fusedCrossEntropy } from '../../src/tensorflow/kernels/fused-cross-entropy.ts';
import { fusedKernels } from '../../src/tensorflow/kernels/fused-kernels.ts';
import { useKernelThreads } from '../../src/tensorflow/kernels/own-library.ts';
import type { Precision } from '../../src/tensorflow/kernels/kernel.ts';
import { runFused } from '../../src/tensorflow/kernels/fused-recurrent.ts';
import { linear } from '../../src/tensorflow/kernels/linear.ts';
import { loadTensorFlow } from '../../src/tensorflow/load.ts';
import { optimizerVariants, updatedThrice } from './optimizer-variants.ts';

/** A process of its own: prints which kernels it has, and digests of each cell's results and gradients, the loss's, the output layer's and the updates'. */

const draw = (name: string, shape: number[]): Tensor => {
  const random = randomStream(1, name);
  return tf.tensor(
    Float32Array.from({ length: tf.util.sizeFromShape(shape) }, () => random.normal() / 4),
    shape,
  );
};

/** Every length from 0 on, the short ones first. */
const lengthsOf = (batch: number, time: number): Tensor1D =>
  tf.tensor1d(
    Array.from({ length: batch }, (_, row) => Math.floor((row * (time + 1)) / batch)),
    'int32',
  );

await loadTensorFlow();
const kernels = fusedKernels();

const digestOf = (cell: 'Lstm' | 'Gru' | 'SimpleRnn', precision: Precision): string => {
  const [columns, slots] = { Lstm: [4, 4] as const, Gru: [3, 4] as const, SimpleRnn: [1, 1] as const }[cell];
  const hash = createHash('sha256');
  for (const [batch, time, features, hidden, masked, ragged] of [
    [3, 5, 2, 5, false, false],
    [37, 9, 28, 100, false, false],
    [37, 9, 28, 100, true, false],
    [37, 9, 28, 100, true, true],
  ] as const) {
    const given = [
      draw('inputs', [batch, time, features]),
      draw('kernel', [features + hidden, columns * hidden]),
      draw('bias', [slots * hidden]),
    ];
    const gradients = tf.valueAndGrads((...[inputs, kernel, bias]: Tensor[]) => {
      const { outputs, final } = runFused(cell, {
        inputs: inputs as Tensor3D,
        kernel: kernel as Tensor2D,
        bias: bias as Tensor1D,
        lengths: ragged ? lengthsOf(batch, time) : undefined,
        recurrentMask: masked ? (draw('mask', [batch, hidden]) as Tensor2D) : undefined,
        forgetBias: 1,
        reverse: false,
        returns: 'all',
        precision,
      });
      hash.update(new Uint8Array((outputs as Tensor).dataSync().slice().buffer));
      return tf.add(tf.sum(tf.square(outputs as Tensor)), tf.sum(final[0]));
    })(given).grads;
    for (const gradient of gradients) hash.update(new Uint8Array(gradient.dataSync().slice().buffer));
  }
  return hash.digest('hex');
};

const digestOfCrossEntropy = (): string => {
  const hash = createHash('sha256');
  for (const classes of [3, 50, 1003]) {
    const labels = tf.tensor1d(
      Array.from({ length: 37 }, (_, row) => row % classes),
      'int32',
    );
    const { value, grad } = tf.valueAndGrad((logits: Tensor) =>
      fusedCrossEntropy(logits as Tensor2D, labels),
    )(draw('logits', [37, classes]));
    for (const found of [value, grad]) hash.update(new Uint8Array(found.dataSync().slice().buffer));
  }
  return hash.digest('hex');
};

/** Of more rows than one thread takes at once, too. */
const digestOfLinear = (precision: Precision): string => {
  const hash = createHash('sha256');
  for (const [rows, size, outputs] of [
    [37, 64, 10],
    [1000, 100, 37],
  ] as const) {
    const given = [draw('rows', [rows, size]), draw('kernel', [size, outputs]), draw('bias', [outputs])];
    const { value, grads } = tf.valueAndGrads((...parts: Tensor[]) =>
      tf.sum(tf.square(linear(...(parts as [Tensor2D, Tensor2D, Tensor1D]), precision))),
    )(given);
    for (const found of [value, ...grads]) hash.update(new Uint8Array(found.dataSync().slice().buffer));
  }
  return hash.digest('hex');
};

/** Of weights that are more than one thread takes at once. */
const digestOfUpdates = async (): Promise<string> => {
  const hash = createHash('sha256');
  for (const variant of Object.values(optimizerVariants))
    for (const values of await updatedThrice(variant, [[3], [70_003], [5]]))
      hash.update(new Uint8Array(values.buffer));
  return hash.digest('hex');
};

const digestOfProducts = (precision: Precision): readonly string[] => [
  ...(['Lstm', 'Gru', 'SimpleRnn'] as const).map((cell) => digestOf(cell, precision)),
  digestOfLinear(precision),
];

const digest = async () => ({
  float32: [...digestOfProducts('float32'), digestOfCrossEntropy(), await digestOfUpdates()],
  bfloat16: digestOfProducts('bfloat16'),
});
const digests = await digest();
// More threads, fewer and more again, in a process that has begun with any number.
const onOther: unknown[] = [];
for (const threads of [4, 1, 3]) {
  useKernelThreads(threads);
  onOther.push(await digest());
}
process.stdout.write(JSON.stringify({ ...kernels, digests, onOther }));
