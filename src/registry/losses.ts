import { binaryCrossEntropy } from '../losses/binary-cross-entropy.ts';
import { crossEntropy } from '../losses/cross-entropy.ts';
import { focal } from '../losses/focal.ts';
import { huber } from '../losses/huber.ts';
import type { LossRow } from '../losses/loss.ts';
import { mae } from '../losses/mae.ts';
import { mse } from '../losses/mse.ts';
import { poisson } from '../losses/poisson.ts';
import { quantile } from '../losses/quantile.ts';

/** Every loss, by the name that a spec writes. */
export const losses = {
  'cross-entropy': crossEntropy,
  focal,
  'binary-cross-entropy': binaryCrossEntropy,
  mse,
  mae,
  huber,
  quantile,
  poisson,
} as const satisfies Record<string, LossRow>;
