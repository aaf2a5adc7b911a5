import { binaryCrossEntropy } from '../losses/binary-cross-entropy.ts';
import { crossEntropy } from '../losses/cross-entropy.ts';
import type { LossRow } from '../losses/loss.ts';
import { mse } from '../losses/mse.ts';

/** Every loss, by the name that a spec writes. */
export const losses = {
  'cross-entropy': crossEntropy,
  'binary-cross-entropy': binaryCrossEntropy,
  mse,
} as const satisfies Record<string, LossRow>;
