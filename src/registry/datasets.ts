import { addingProblem } from '../data/adding-problem.ts';
import { blockSequences } from '../data/block-sequences.ts';
import { characters } from '../data/characters.ts';
import { conll } from '../data/conll.ts';
import { copyMemory } from '../data/copy-memory.ts';
import { csvSequences } from '../data/csv-sequences.ts';
import { csvSeries } from '../data/csv-series.ts';
import { csvText } from '../data/csv-text.ts';
import type { DatasetRow } from '../data/dataset.ts';
import { fashionMnistRows } from '../data/fashion-mnist-rows.ts';
import { jsonlSequences } from '../data/jsonl-sequences.ts';
import { jsonlSeries } from '../data/jsonl-series.ts';
import { jsonlText } from '../data/jsonl-text.ts';
import { mnistPixels } from '../data/mnist-pixels.ts';
import { mnistRows } from '../data/mnist-rows.ts';
import { parquetSequences } from '../data/parquet-sequences.ts';
import { parquetSeries } from '../data/parquet-series.ts';
import { text } from '../data/text.ts';
import { toySequences } from '../data/toy-sequences.ts';
import { ucr } from '../data/ucr.ts';

/** Every dataset, by the name that a spec writes. */
export const datasets = {
  'mnist-rows': mnistRows,
  'mnist-pixels': mnistPixels,
  'fashion-mnist-rows': fashionMnistRows,
  'toy-sequences': toySequences,
  'adding-problem': addingProblem,
  'copy-memory': copyMemory,
  text,
  characters,
  'csv-sequences': csvSequences,
  'jsonl-sequences': jsonlSequences,
  'csv-series': csvSeries,
  'jsonl-series': jsonlSeries,
  'parquet-series': parquetSeries,
  'parquet-sequences': parquetSequences,
  'block-sequences': blockSequences,
  ucr,
  'csv-text': csvText,
  'jsonl-text': jsonlText,
  conll,
} as const satisfies Record<string, DatasetRow>;
