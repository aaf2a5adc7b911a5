import type { DatasetRow } from '../data/dataset.ts';
import { mnistRows } from '../data/mnist-rows.ts';
import { toySequences } from '../data/toy-sequences.ts';

/** Every dataset, by the name that a spec writes. */
export const datasets = {
  'mnist-rows': mnistRows,
  'toy-sequences': toySequences,
} as const satisfies Record<string, DatasetRow>;
