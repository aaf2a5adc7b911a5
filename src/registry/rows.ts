import type { DatasetRow } from '../data/dataset.ts';
import type { ModelRow } from '../models/model.ts';
import type { LossRow } from '../losses/loss.ts';
import type { OwnMetricRow } from '../metrics/own-metric.ts';
import type { OptimizerRow } from '../optimizers/optimizer.ts';
import { addingProblem } from '../data/adding-problem.ts';
import { blockSequences } from '../data/block-sequences.ts';
import { characters } from '../data/characters.ts';
import { conll } from '../data/conll.ts';
import { copyMemory } from '../data/copy-memory.ts';
import { csvSequences } from '../data/csv-sequences.ts';
import { csvSeries } from '../data/csv-series.ts';
import { csvText } from '../data/csv-text.ts';
import { fashionMnistRows } from '../data/fashion-mnist-rows.ts';
import { jsonlSequences, parquetSequences } from '../data/nested-sequences.ts';
import { jsonlSeries, parquetSeries } from '../data/plain-series.ts';
import { jsonlText } from '../data/jsonl-text.ts';
import { mnistPixels, mnistRows } from '../data/mnist.ts';
import { text } from '../data/text.ts';
import { toySequences } from '../data/toy-sequences.ts';
import { ucr } from '../data/ucr.ts';
import { gru } from '../models/gru.ts';
import { lstm } from '../models/lstm.ts';
import { simpleRnn } from '../models/simple-rnn.ts';
import { adadelta } from '../optimizers/adadelta.ts';
import { adagrad } from '../optimizers/adagrad.ts';
import { adam } from '../optimizers/adam.ts';
import { adamax } from '../optimizers/adamax.ts';
import { adamw } from '../optimizers/adamw.ts';
import { rmsprop } from '../optimizers/rmsprop.ts';
import { sgd } from '../optimizers/sgd.ts';
import { binaryCrossEntropy } from '../losses/binary-cross-entropy.ts';
import { crossEntropy } from '../losses/cross-entropy.ts';
import { focal } from '../losses/focal.ts';
import { huber } from '../losses/huber.ts';
import { mae } from '../losses/mae.ts';
import { mse } from '../losses/mse.ts';
import { poisson } from '../losses/poisson.ts';
import { quantile } from '../losses/quantile.ts';

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

/** Every model, by the name that a spec writes. */
export const models = { lstm, gru, 'simple-rnn': simpleRnn } as const satisfies Record<string, ModelRow>;

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

/** The tables that a spec's `dataset`, `model`, `optimizer` and `loss` choose from. */
export interface Registry {
  readonly dataset: Table<DatasetRow>;
  readonly model: Table<ModelRow>;
  readonly optimizer: Table<OptimizerRow>;
  readonly loss: Table<LossRow>;
  /** Those of the user's config, which are measured beside the ones that come with Unroll. */
  readonly metric?: Table<OwnMetricRow>;
}

export type Table<R> = Readonly<Record<string, R>>;

/** The rows that come with Unroll. */
export const registry: Registry = { dataset: datasets, model: models, optimizer: optimizers, loss: losses };

/** The tables with further entries, which the user's config adds. */
export const extendRegistry = (base: Registry, more: Registry): Registry => ({
  dataset: { ...base.dataset, ...more.dataset },
  model: { ...base.model, ...more.model },
  optimizer: { ...base.optimizer, ...more.optimizer },
  loss: { ...base.loss, ...more.loss },
  metric: { ...base.metric, ...more.metric },
});

/** The sections that every spec has, each of which chooses an entry by `name`. */
export const requiredSections = ['dataset', 'model', 'optimizer'] as const satisfies (keyof Registry)[];

export type RequiredSectionKind = (typeof requiredSections)[number];

/** All sections that choose an entry by `name`, in the order of a spec. Without `loss` the task decides. */
export const namedSections = [...requiredSections, 'loss'] as const satisfies (keyof Registry)[];

export type NamedSectionKind = (typeof namedSections)[number];

/** The commands that list the entries of a section, and their reference pages. */
export const listNames = {
  dataset: 'datasets',
  model: 'models',
  optimizer: 'optimizers',
  loss: 'losses',
} as const satisfies Record<NamedSectionKind, string>;

/** The row of a name, or undefined where nothing is registered under it. */
export const findRow = <R>(table: Table<R>, name: string): R | undefined =>
  Object.hasOwn(table, name) ? table[name] : undefined;

/**
 * The parameters of a dataset that are paths of data files. None if no dataset of the registry has the name: the file
 * parameters of the user's own datasets are recorded in their runs.
 */
export const fileParameters = ({ dataset }: Registry, name: string): readonly string[] =>
  findRow(dataset, name)?.files ?? [];

/** The row of a validated run's section. */
export const rowOf = <R>(table: Table<R>, { name }: { readonly name: string }): R => {
  const row = findRow(table, name);
  if (!row) throw new Error(`Nothing is registered as "${name}", although the run was validated.`);
  return row;
};
