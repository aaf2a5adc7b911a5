import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packageRoot } from '../../src/system/package-root.ts';
import { findCompiler } from '../../src/tensorflow/install/compile.ts';
import { nativeParts } from '../../src/tensorflow/install/native-parts.ts';
import { fusedKernels } from '../../src/tensorflow/kernels/fused-kernels.ts';
import type { Bfloat16Products } from '../../src/tensorflow/kernels/own-library.ts';
import type { Precision } from '../../src/tensorflow/kernels/kernel.ts';
import { loadTensorFlow } from '../../src/tensorflow/load.ts';
import { peersFolder, pythonOf } from './peers.ts';
import { oneThread, say, start, startWorker } from './processes.ts';
import { spreadOf } from './statistics.ts';
import { gigaflops, productsOf, stepWorks, type Product, type StepWork } from './step-work.ts';

/** What bounds a piece of work from below on this machine. */
export interface Limit {
  readonly work: string;
  /** Thousands of millions of floating-point operations in a step's matrix products. */
  readonly gigaflops: number;
  /** Milliseconds of these operations at the speed of multiply-adds that never leave the registers. */
  readonly floor: number;
  /** Milliseconds of our gates and their derivatives alone. */
  readonly gates: number;
  /** Milliseconds of our operation's forward and backward pass, without what calls them, loss and update. */
  readonly passes: number;
  /** GFLOPS of each product, by our kernels and by PyTorch's `mm` (oneDNN or MKL): the best of many. */
  readonly products: readonly {
    readonly name: Product['name'];
    readonly ours: number;
    readonly torch: number;
  }[];
}

export interface PeakResult {
  /** GFLOPS of multiply-adds in registers, the best of many. */
  readonly registers: number;
  readonly limits: readonly Limit[];
}

/**
 * What bench/suite/peak.cc prints: GFLOPS in registers and of our blocks of sums whose operands come from the first- or the
 * second-level cache, GB/s of memory beyond that cache, and milliseconds.
 */
export type PeakFound = Readonly<
  Record<
    | 'registers'
    | 'firstCache'
    | 'secondCache'
    | 'memory'
    | 'forward'
    | 'backward'
    | 'forwardProduct'
    | 'stateProduct'
    | 'kernelProduct'
    | 'gates'
    | 'derivatives',
    number
  >
>;

/** The source whose flags compile the products of bfloat16 operands, and what the source defines. */
const bfloat16Sources: Readonly<
  Record<Bfloat16Products, { readonly file: string; readonly flags: readonly string[] }>
> = {
  AMX: {
    file: 'tiles-avx512bf16.cc',
    flags: ['-DUNROLL_BFLOAT16=1', '-DUNROLL_TILES=1', '-DUNROLL_AMX=1'],
  },
  'AMX emulated': {
    file: 'tiles-avx2.cc',
    flags: ['-DUNROLL_BFLOAT16=1', '-DUNROLL_TILES=1', '-DUNROLL_AMX=0'],
  },
  'AVX512-BF16': { file: 'bfloat16-avx512bf16.cc', flags: ['-DUNROLL_BFLOAT16=1'] },
  emulated: { file: 'bfloat16-avx2.cc', flags: ['-DUNROLL_BFLOAT16=1'] },
};

/** Builds bench/suite/peak.cc with the flags that our kernels for this processor have. */
export const compilePeak = async (program: string, precision: Precision): Promise<void> => {
  await loadTensorFlow();
  const used = fusedKernels();
  if (!used.available) throw new Error(`The part peak needs our own kernels: ${used.reason}`);
  const { file, flags: precisionFlags } =
    precision === 'float32'
      ? { file: `kernels-${used.instructionSet.toLowerCase()}.cc`, flags: [] }
      : bfloat16Sources[used.bfloat16];
  const kernels = nativeParts().find(({ name }) => name === 'unroll_kernels');
  const source = kernels?.sources.find((one) => one.file === file);
  const compiler = await findCompiler();
  if (!kernels || !source || !compiler) throw new Error('The part peak needs g++ and a processor with AVX2.');
  const own = ['parallel.cc', 'blocks.cc', 'processor.cc'].map((file) => join(kernels.folder, file));
  const files = [join(packageRoot, 'bench', 'suite', 'peak.cc'), ...own];
  const flags = [...kernels.flags, ...source.flags, ...precisionFlags, '-pthread'];
  await start({ words: [compiler.command, ...compiler.args, ...flags, ...files, '-o', program] }).done;
};

/** Milliseconds of a product in a whole step. */
export const timeOf = (product: Product, found: PeakFound): number => {
  switch (product.name) {
    case 'forward':
      return found.forwardProduct;
    case 'gradient of the state':
      return found.stateProduct;
    case 'gradient of the kernel':
      return found.kernelProduct;
  }
};

const rounded = (value: number): number => spreadOf([value]).median;

/** What a step of some work is made of, on one core with one thread. */
export const runPeak = async (program: string, work: StepWork): Promise<PeakFound> => {
  const sizes = [work.batch, work.steps, work.features, work.hidden].map(String);
  const { stdout } = await start({ words: [program, work.model, ...sizes], cores: '0', env: oneThread }).done;
  return JSON.parse(stdout) as PeakFound;
};

/** Measures on one core, with one thread, what the works that PyTorch runs without packing are made of. */
export const measurePeak = async (only: string | undefined): Promise<PeakResult> => {
  const folder = mkdtempSync(join(tmpdir(), 'unroll-bench-'));
  const torch = startWorker({
    words: [pythonOf('torch'), join(peersFolder, 'torch_steps.py')],
    cores: '0',
    env: oneThread,
  });
  const program = join(folder, 'peak');
  try {
    await compilePeak(program, 'float32');
    const limits: Omit<Limit, 'floor'>[] = [];
    let registers = 0;
    for (const work of stepWorks) {
      if (work.variableLength || work.bidirectional || !work.name.includes(only ?? '')) continue;
      const found = await runPeak(program, work);
      registers = Math.max(registers, found.registers);
      const products: Limit['products'][number][] = [];
      for (const product of productsOf(work)) {
        const { gflops } = await torch.ask<{ gflops: number }>({ do: 'product', shape: product.shape });
        const ours = (1000 * product.gigaflops) / timeOf(product, found);
        products.push({ name: product.name, ours: rounded(ours), torch: rounded(gflops) });
      }
      limits.push({
        work: work.name,
        gigaflops: rounded(gigaflops(work)),
        gates: rounded(found.gates + found.derivatives),
        passes: rounded(found.forward + found.backward),
        products,
      });
      say(`${work.name}: ${products.map(({ ours, torch }) => `${ours} (${torch})`).join(', ')} GFLOPS`);
    }
    const floored = limits.map((limit) => ({
      ...limit,
      floor: rounded((1000 * limit.gigaflops) / registers),
    }));
    return { registers: rounded(registers), limits: floored };
  } finally {
    await torch.stop();
    rmSync(folder, { recursive: true, force: true });
  }
};
