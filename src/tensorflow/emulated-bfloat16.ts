import type { Diagnostic } from '../diagnostic/diagnostic.ts';
import { readProcessor } from './processor.ts';

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
          'This processor lacks AVX512-BF16, so bfloat16 products are emulated: the same numbers, but no faster than float32.',
        help: 'Remove `precision` from train to train in float32, or train on a processor with AVX512-BF16.',
      };
