import { adam } from '../optimizers/adam.ts';
import type { OptimizerRow } from '../optimizers/optimizer.ts';
import { sgd } from '../optimizers/sgd.ts';

/** Every optimizer, by the name that a spec writes. */
export const optimizers = {
  adam,
  sgd,
} as const satisfies Record<string, OptimizerRow>;
