import { join } from 'node:path';
import { expect, test } from 'vitest';
import { packageRoot } from '../../src/system/package-root.ts';
import { fusedKernels } from '../../src/tensorflow/kernels/fused-kernels.ts';
import { loadTensorFlow } from '../../src/tensorflow/load.ts';
import { runTypeScript } from '../support/run-typescript.ts';

await loadTensorFlow();
const kernels = fusedKernels();
const why = kernels.available ? '' : ` (left out: ${kernels.reason})`;

test.skipIf(!kernels.available)(
  `the bits of the fused kernels depend neither on the number of threads nor on the instruction set${why}`,
  async () => {
    const file = join(packageRoot, 'test', 'support', 'fused-bits.ts');
    const run = async (env: Record<string, string>) =>
      JSON.parse(await runTypeScript(file, env)) as { readonly digests: unknown };
    const [one, two, narrow] = await Promise.all([
      run({ TF_NUM_INTRAOP_THREADS: '1' }),
      run({ TF_NUM_INTRAOP_THREADS: '2' }),
      run({ TF_NUM_INTRAOP_THREADS: '3', UNROLL_INSTRUCTION_SET: 'AVX2' }),
    ]);
    expect(one).toMatchObject({ available: true, threads: 1, onOther: Array(3).fill(one.digests) });
    expect(two).toEqual({ ...one, threads: 2 });
    expect(narrow).toEqual({ ...one, threads: 3, instructionSet: 'AVX2' });
  },
);
