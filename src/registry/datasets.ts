import { addingProblem } from '../data/adding-problem.ts';
import { characters } from '../data/characters.ts';
import { copyMemory } from '../data/copy-memory.ts';
import { csvSequences } from '../data/csv-sequences.ts';
import type { DatasetRow } from '../data/dataset.ts';
import { fashionMnistRows } from '../data/fashion-mnist-rows.ts';
import { jsonlSequences } from '../data/jsonl-sequences.ts';
import { mnistPixels } from '../data/mnist-pixels.ts';
import { mnistRows } from '../data/mnist-rows.ts';
import { toySequences } from '../data/toy-sequences.ts';

/** Every dataset, by the name that a spec writes. */
export const datasets = {
  'mnist-rows': mnistRows,
  'mnist-pixels': mnistPixels,
  'fashion-mnist-rows': fashionMnistRows,
  'toy-sequences': toySequences,
  'adding-problem': addingProblem,
  'copy-memory': copyMemory,
  characters,
  'csv-sequences': csvSequences,
  'jsonl-sequences': jsonlSequences,
} as const satisfies Record<string, DatasetRow>;
