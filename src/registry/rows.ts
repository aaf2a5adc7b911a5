import type { DatasetRow } from '../data/dataset.ts';
import type { ModelRow } from '../models/model.ts';
import type { LossRow } from '../losses/loss.ts';
import type { OwnMetricRow } from '../metrics/own-metric.ts';
import type { OptimizerRow } from '../optimizers/optimizer.ts';
import { datasets } from './datasets.ts';
import { losses } from './losses.ts';
import { models } from './models.ts';
import { optimizers } from './optimizers.ts';

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
