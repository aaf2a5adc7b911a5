import type { Execution } from '../../language/config.ts';
import { counted } from '../../terminal/format.ts';
import type { Kept } from './kept.ts';
import type { Work } from './work.ts';

/** How the kernel of some work is chosen. */
export type KernelChoice =
  /** By the frozen plan; by an earlier measurement; because it is the only one; or because the work is too little. */
  | { readonly how: 'frozen' | 'kept' | 'only-one' | 'default'; readonly kernel: string }
  /** By a measurement, of these; the first is the default. */
  | { readonly how: 'measure'; readonly kernels: readonly [string, ...string[]] }
  /** Each process takes its default, because nothing is to choose. */
  | { readonly how: 'free' };

/**
 * Work of fewer training steps is not measured: the time of about twenty steps would be out of proportion. It is decided
 * from the plan alone, so that equal plans are treated equally.
 */
const worthMeasuringSteps = 500;

/** A kernel takes the default's place only where it is clearly faster: otherwise chance would choose. */
const clearlyFaster = 0.95;

/** What a plan and a machine have settled already. */
export interface Settled {
  readonly execution: Pick<Execution, 'threadsPerRun' | 'kernels'>;
  readonly kept: Kept;
  /** The kernels that can run here; none where native TensorFlow is not in use. */
  readonly runnable: readonly string[];
}

/** The name under which a kernel is kept: it is measured for a number of threads. */
export const keptKey = ({ key }: Work, { threadsPerRun }: Pick<Execution, 'threadsPerRun'>): string =>
  `${key}; ${counted(threadsPerRun, 'thread')}`;

export const chooseKernelOf = (work: Work, { execution, kept, runnable }: Settled): KernelChoice => {
  const frozen = execution.kernels?.[work.key];
  if (frozen !== undefined) return { how: 'frozen', kernel: frozen };
  // With one candidate the spec alone decides; without native TensorFlow there is nothing but the last one.
  if (work.kernels.length < 2 || runnable.length === 0) return { how: 'free' };
  const kernels = work.kernels.filter((name) => runnable.includes(name));
  const [first, ...others] = kernels;
  if (first === undefined) return { how: 'free' };
  if (others.length === 0) return { how: 'only-one', kernel: first };
  // Whatever is kept: the same spec has the same kernel before and after a larger one was measured.
  if (work.steps < worthMeasuringSteps) return { how: 'default', kernel: first };
  const known = kept.kernels[keptKey(work, execution)]?.kernel;
  if (known !== undefined && kernels.includes(known)) return { how: 'kept', kernel: known };
  return { how: 'measure', kernels: [first, ...others] };
};

/** The default, unless another one is clearly faster; `names` begins with the default. */
export const fastest = (
  [first = '', ...others]: readonly string[],
  msPerStep: Readonly<Record<string, number>>,
): string => {
  const time = (name: string) => msPerStep[name] ?? Infinity;
  const [best] = others
    .filter((name) => time(name) < clearlyFaster * time(first))
    .sort((a, b) => time(a) - time(b));
  return best ?? first;
};
