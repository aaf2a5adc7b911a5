import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packageRoot } from '../../src/system/package-root.ts';
import { findCompiler } from '../../src/tensorflow/install/compile.ts';
import { nativeParts } from '../../src/tensorflow/install/native-parts.ts';
import { describeMachine } from './machine.ts';
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

/** What bench/suite/peak.cc prints: GFLOPS in registers, and milliseconds. */
type Found = Readonly<
  Record<
    | 'registers'
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

/** Builds bench/suite/peak.cc with the flags that our kernels for this processor have. */
const compile = async (program: string): Promise<void> => {
  const { instructionSet } = await describeMachine();
  const kernels = nativeParts().find(({ name }) => name === 'unroll_kernels');
  const source = kernels?.sources.find(({ file }) => file === `kernels-${instructionSet.toLowerCase()}.cc`);
  const compiler = await findCompiler();
  if (!kernels || !source || !compiler) throw new Error('The part peak needs g++ and a processor with AVX2.');
  const own = ['parallel.cc', 'blocks.cc'].map((file) => join(kernels.folder, file));
  const files = [join(packageRoot, 'bench', 'suite', 'peak.cc'), ...own];
  const flags = [...kernels.flags, ...source.flags, '-pthread'];
  await start({ words: [compiler.command, ...compiler.args, ...flags, ...files, '-o', program] }).done;
};

const timeOf = (product: Product, found: Found): number => {
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

/** Measures on one core, with one thread, what the works that PyTorch runs without packing are made of. */
export const measurePeak = async (only: string | undefined): Promise<PeakResult> => {
  const folder = mkdtempSync(join(tmpdir(), 'unroll-bench-'));
  const torch = startWorker({
    words: [pythonOf('torch'), join(peersFolder, 'torch_steps.py')],
    cores: '0',
    env: oneThread,
  });
  const program = join(folder, 'peak');
  const measure = async (work: StepWork): Promise<Found> => {
    const sizes = [work.batch, work.steps, work.features, work.hidden].map(String);
    const { stdout } = await start({ words: [program, work.model, ...sizes], cores: '0', env: oneThread })
      .done;
    return JSON.parse(stdout) as Found;
  };
  try {
    await compile(program);
    const limits: Omit<Limit, 'floor'>[] = [];
    let registers = 0;
    for (const work of stepWorks) {
      if (work.variableLength || work.bidirectional || !work.name.includes(only ?? '')) continue;
      const found = await measure(work);
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
