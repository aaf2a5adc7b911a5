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
      JSON.parse(await runTypeScript(file, env)) as {
        readonly bfloat16: string;
        readonly digests: { readonly float32: unknown; readonly bfloat16: unknown };
      };
    const [one, two, narrow, tiles, emulatedTiles] = await Promise.all([
      run({ TF_NUM_INTRAOP_THREADS: '1' }),
      run({ TF_NUM_INTRAOP_THREADS: '2' }),
      run({ TF_NUM_INTRAOP_THREADS: '3', UNROLL_INSTRUCTION_SET: 'AVX2' }),
      run({ TF_NUM_INTRAOP_THREADS: '2', UNROLL_INSTRUCTION_SET: 'AMX' }),
      run({ TF_NUM_INTRAOP_THREADS: '3', UNROLL_INSTRUCTION_SET: 'AMX emulated' }),
    ]);
    expect(one).toMatchObject({ available: true, threads: 1, onOther: Array(3).fill(one.digests) });
    expect(two).toEqual({ ...one, threads: 2 });
    expect({ ...narrow, digests: narrow.digests.float32 }).toMatchObject({
      threads: 3,
      instructionSet: 'AVX2',
      bfloat16: 'emulated',
      digests: one.digests.float32,
    });
    // AMX adds the terms of bfloat16 products in an order of its own; each order has the same bits with the instructions and without.
    expect(emulatedTiles.bfloat16).toBe('AMX emulated');
    expect(emulatedTiles.digests).toEqual(tiles.digests);
    expect(tiles.digests.float32).toEqual(one.digests.float32);
    expect(tiles.digests.bfloat16).not.toEqual(narrow.digests.bfloat16);
    expect(one.digests.bfloat16).toEqual((one.bfloat16 === 'AMX' ? tiles : narrow).digests.bfloat16);
  },
);
