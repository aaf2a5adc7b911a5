/**
 * Counts what a training step calls: TensorFlow operations, copies to and from TensorFlow, and kernels of tfjs; and how much of
 * the step each takes. `--cpu-prof` of Node shows the rest.
 *
 *     node bench/run.mjs step-calls.ts [hidden] [batch]
 */
import * as tf from '@tensorflow/tfjs-core';
import { loadTensorFlow } from '../src/tensorflow/load.ts';
import { nativeBackend } from '../src/tensorflow/internals.ts';
import { lstm } from './suite/step-work.ts';
import { buildSteps } from './suite/unroll-steps.ts';

const [hidden = 64, batch = 32] = process.argv.slice(2).map(Number);
const steps = 300;

interface Calls {
  count: number;
  ms: number;
}

const calls = new Map<string, Calls>();

const counted =
  <Given extends readonly unknown[], Returned>(
    nameOf: (...given: Given) => string,
    call: (...given: Given) => Returned,
  ) =>
  (...given: Given): Returned => {
    const began = performance.now();
    const returned = call(...given);
    const name = nameOf(...given);
    const before = calls.get(name) ?? { count: 0, ms: 0 };
    calls.set(name, { count: before.count + 1, ms: before.ms + performance.now() - began });
    return returned;
  };

/** The binding cannot be changed, so the back end gets one with the same properties. */
const countBinding = (): void => {
  const backend = nativeBackend();
  const inner: object = backend.binding;
  const outer = Object.create(inner) as object;
  for (const method of ['executeOp', 'createTensor', 'tensorDataSync', 'deleteTensor']) {
    const call = Reflect.get(inner, method) as (...given: unknown[]) => unknown;
    const nameOf = (first: unknown) => (method === 'executeOp' ? `TensorFlow ${String(first)}` : method);
    Object.defineProperty(outer, method, { value: counted(nameOf, call.bind(inner)) });
  }
  Reflect.set(backend, 'binding', outer);
};

const countKernels = (): void => {
  const engine: object = tf.engine();
  const call = Reflect.get(engine, 'runKernelFunc') as (...given: unknown[]) => unknown;
  const nameOf = (given: unknown) =>
    `tfjs ${(given as { readonly kernelName?: string }).kernelName ?? 'a function'}`;
  Reflect.set(engine, 'runKernelFunc', counted(nameOf, call.bind(engine)));
};

await loadTensorFlow();
const { step, kernel } = await buildSteps(lstm(batch, hidden));
for (let at = 0; at < steps; at++) step();
const began = performance.now();
for (let at = 0; at < steps; at++) step();
const plain = (performance.now() - began) / steps;
countBinding();
countKernels();
for (let at = 0; at < steps; at++) step();
console.log(`${kernel}, hidden ${hidden}, batch ${batch}: ${plain.toFixed(3)} ms a step`);
for (const [name, { count, ms }] of [...calls].sort(([, a], [, b]) => b.ms - a.ms))
  console.log(
    `${(count / steps).toFixed(1).padStart(6)}  ${(ms / steps).toFixed(3).padStart(7)} ms  ${name}`,
  );
