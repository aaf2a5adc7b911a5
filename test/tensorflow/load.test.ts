import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import * as tf from '@tensorflow/tfjs-core';
import { packageRoot } from '../../src/system/package-root.ts';
import { loadTensorFlow } from '../../src/tensorflow/load.ts';
import type { Backend } from '../../src/tensorflow/load.ts';
import { runTypeScript } from '../support/run-typescript.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const trainLine = async (env: Readonly<Record<string, string>>) => {
  const printed = await runTypeScript(join(packageRoot, 'test', 'support', 'train-line.ts'), env);
  return JSON.parse(printed) as { backend: Backend; weight: number; bias: number; leaked: number };
};

test('the native back end multiplies matrices', async () => {
  const backend = await loadTensorFlow();
  expect(backend).toEqual({ name: 'tensorflow', version: '2.21.0' });
  expect(tf.getBackend()).toBe('tensorflow');
  expect(tf.matMul(tf.ones([2, 3]), tf.ones([3, 2])).arraySync()).toEqual([
    [3, 3],
    [3, 3],
  ]);
  // Methods of tensors come with the back end.
  expect(tf.scalar(2).add(3).dataSync()[0]).toBe(5);
  expect(await loadTensorFlow()).toBe(backend);
});

test.each(['tensorflow', 'wasm', 'cpu'] as const)(
  'the %s back end trains, and leaks nothing',
  async (name) => {
    const { backend, weight, bias, leaked } = await trainLine(
      name === 'tensorflow' ? {} : { UNROLL_BACKEND: name },
    );
    expect(backend.name).toBe(name);
    expect(weight).toBeCloseTo(2, 4);
    expect(bias).toBeCloseTo(-1, 4);
    expect(leaked).toBe(0);
    if (name !== 'tensorflow') expect(backend.warning).toContain(`UNROLL_BACKEND is ${name}`);
  },
);

test('an addon that does not load leaves WebAssembly and says why', async () => {
  const addon = join(temporaryDirectory(), 'broken.node');
  writeFileSync(addon, 'not a shared library');
  const { backend, weight } = await trainLine({ TEST_ADDON: addon });
  expect(backend.name).toBe('wasm');
  expect(backend.warning).toMatch(
    /its addon does not load \(.*broken\.node.*\).*50 times slower.*unroll doctor/,
  );
  expect(weight).toBeCloseTo(2, 4);
});
