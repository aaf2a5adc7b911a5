import { existsSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { readRegularText } from '../system/files.ts';
import type { Diagnostic } from '../diagnostic/diagnostic.ts';

/** The properties of a processor that decide how fast it trains. */
export interface Processor {
  readonly model: string;
  /** Hardware threads that this process may use. */
  readonly cores: number;
  /** The instruction sets that the kernels can use, such as `avx2`; undefined if the system does not report them. */
  readonly features: readonly string[] | undefined;
}

const known = ['avx', 'avx2', 'fma', 'avx512f', 'avx512_vnni', 'avx512_bf16', 'asimd'];

const readFeatures = (): readonly string[] | undefined => {
  const file = '/proc/cpuinfo';
  if (!existsSync(file)) return undefined;
  // The processor's line of flags: `flags` on x86, `Features` on ARM.
  const line = /^(?:flags|Features)\s*:\s*(.*)$/m.exec(readRegularText(file))?.[1];
  if (line === undefined) return undefined;
  const flags = new Set(line.split(' '));
  return known.filter((name) => flags.has(name));
};

export const readProcessor = (): Processor => ({
  model: cpus()[0]?.model.trim() || 'unknown',
  cores: availableParallelism(),
  features: readFeatures(),
});

/** The instruction sets that products of bfloat16 operands need to be faster than those of float32. */
const needed = ['avx512f', 'avx512_bf16'];

/**
 * Returns the warning to show before a training with `train.precision: bfloat16` if this processor has no instruction for
 * it; undefined if it has one, or if the system does not report its instruction sets.
 */
export const emulatedBfloat16 = (
  features: readonly string[] | undefined = readProcessor().features,
): Diagnostic | undefined =>
  features === undefined || needed.every((name) => features.includes(name))
    ? undefined
    : {
        code: 'backend-missing',
        severity: 'warning',
        message:
          'This processor has neither AMX nor AVX512-BF16, so bfloat16 products are emulated, no faster than float32.',
        help: 'Remove `precision` from train to train in float32, or train on a processor with AMX or AVX512-BF16.',
      };
