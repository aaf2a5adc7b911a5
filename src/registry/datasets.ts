import { addingProblem } from '../data/adding-problem.ts';
import { copyMemory } from '../data/copy-memory.ts';
import type { DatasetRow } from '../data/dataset.ts';
import { mnistPixels } from '../data/mnist-pixels.ts';
import { mnistRows } from '../data/mnist-rows.ts';
import { toySequences } from '../data/toy-sequences.ts';

/** Every dataset, by the name that a spec writes. */
export const datasets = {
  'mnist-rows': mnistRows,
  'mnist-pixels': mnistPixels,
  'toy-sequences': toySequences,
  'adding-problem': addingProblem,
  'copy-memory': copyMemory,
} as const satisfies Record<string, DatasetRow>;
