import * as tf from '@tensorflow/tfjs-core';
import { fusedKernels } from './kernels/fused-kernels.ts';
import type { FusedKernels } from './kernels/fused-kernels.ts';
import { loadTensorFlow } from './load.ts';

/** The result of loading TensorFlow in a fresh process, which prints it as one line of JSON. */
export interface Probe {
  readonly backend: 'tensorflow' | 'wasm' | 'cpu';
  readonly version: string;
  readonly warning?: string;
  /** Unroll's own kernels, or why they are not used. */
  readonly kernels: FusedKernels;
  readonly loadMs: number;
  /** Resident memory after loading, in megabytes. */
  readonly memoryMb: number;
}

/**
 * The entry of the probing process, `node dist/probe.js [addon]`: loads the back end, multiplies two matrices, prints
 * a `Probe`. Exits with code 1 if the product is wrong.
 */
const probe = async (): Promise<void> => {
  const startedAt = performance.now();
  const { name, version, warning } = await loadTensorFlow(process.argv[2]);
  const product = tf.matMul(
    tf.tensor2d([
      [1, 2],
      [3, 4],
    ]),
    tf.tensor2d([
      [5, 6],
      [7, 8],
    ]),
  );
  const right = [19, 22, 43, 50].every((value, index) => product.dataSync()[index] === value);
  if (!right) throw new Error(`the ${name} back end multiplies wrongly`);
  const found: Probe = {
    backend: name,
    version,
    ...(warning !== undefined && { warning }),
    kernels: fusedKernels(),
    loadMs: Math.round(performance.now() - startedAt),
    memoryMb: Math.round(process.memoryUsage().rss / 1e6),
  };
  process.stdout.write(`${JSON.stringify(found)}\n`);
};

await probe();
