import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { packageRoot } from '../../src/system/package-root.ts';
import { fusedKernels } from '../../src/tensorflow/kernels/fused-kernels.ts';
import { loadTensorFlow } from '../../src/tensorflow/load.ts';
import { runTypeScript } from '../support/run-typescript.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const script = join(packageRoot, 'test', 'support', 'kernels-report.ts');
const report = async (env: Record<string, string>) => JSON.parse(await runTypeScript(script, env)) as object;

describe('without a usable library TensorFlow computes, and the reason is known', () => {
  test.each([
    ['not an executable', 'broken.node', 'not a library', /broken\.node cannot be loaded: .+/],
    [
      'from other sources',
      'old.cjs',
      'module.exports = { instructionSet: "AVX2", threads: 1 };',
      /old\.cjs was built from other sources; run npm run setup\./,
    ],
    ['not there', 'missing.node', undefined, /The library of kernels has not been built\./],
  ])('%s', async (_, name, content, reason) => {
    const file = join(temporaryDirectory(), name);
    if (content !== undefined) writeFileSync(file, content);
    expect(await report({ UNROLL_NATIVE_LIBRARY: file })).toEqual({
      available: false,
      reason: expect.stringMatching(reason) as string,
      lstm: 'block-lstm',
      gathers: false,
    });
  });

  test('a processor without AVX2', async () => {
    await loadTensorFlow();
    if (!fusedKernels().available) return;
    expect(await report({ UNROLL_INSTRUCTION_SET: 'none' })).toEqual({
      available: false,
      reason: 'The processor has no AVX2.',
      lstm: 'block-lstm',
      gathers: false,
    });
  });
});

test('continuous integration has the kernels, so that their tests run', async () => {
  await loadTensorFlow();
  const kernels = fusedKernels();
  if (process.env['CI'] !== undefined) expect(kernels).toMatchObject({ available: true });
});
