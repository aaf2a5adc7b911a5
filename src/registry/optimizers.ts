import { adadelta } from '../optimizers/adadelta.ts';
import { adagrad } from '../optimizers/adagrad.ts';
import { adam } from '../optimizers/adam.ts';
import { adamax } from '../optimizers/adamax.ts';
import { adamw } from '../optimizers/adamw.ts';
import type { OptimizerRow } from '../optimizers/optimizer.ts';
import { rmsprop } from '../optimizers/rmsprop.ts';
import { sgd } from '../optimizers/sgd.ts';

/** Every optimizer, by the name that a spec writes. */
export const optimizers = {
  sgd,
  adam,
  adamw,
  adamax,
  rmsprop,
  adagrad,
  adadelta,
} as const satisfies Record<string, OptimizerRow>;
