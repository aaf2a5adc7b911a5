import type { DatasetRow } from '../data/dataset.ts';
import type { ModelRow } from '../models/model.ts';
import type { OptimizerRow } from '../optimizers/optimizer.ts';
import { datasets } from './datasets.ts';
import { models } from './models.ts';
import { optimizers } from './optimizers.ts';

/** The tables that a spec's `dataset`, `model` and `optimizer` choose from. */
export interface Registry {
  readonly dataset: Table<DatasetRow>;
  readonly model: Table<ModelRow>;
  readonly optimizer: Table<OptimizerRow>;
}

export type Table<R> = Readonly<Record<string, R>>;

/** The rows that come with Unroll. */
export const registry: Registry = { dataset: datasets, model: models, optimizer: optimizers };

/** The tables with further rows, which a person's config adds. */
export const extendRegistry = (base: Registry, more: Registry): Registry => ({
  dataset: { ...base.dataset, ...more.dataset },
  model: { ...base.model, ...more.model },
  optimizer: { ...base.optimizer, ...more.optimizer },
});

let current = registry;

/** Lets the process that trains know a person's rows, too. */
export const useRegistry = (extended: Registry): void => {
  current = extended;
};

/** The sections of a spec that choose a row by `name`, in the order of a spec. */
export const namedSections = ['dataset', 'model', 'optimizer'] as const satisfies (keyof Registry)[];

export type NamedSectionKind = (typeof namedSections)[number];

/** The row of a name, or undefined where nothing is registered under it. */
export const findRow = <R>(table: Table<R>, name: string): R | undefined =>
  Object.hasOwn(table, name) ? table[name] : undefined;

const mustFind = <R>(table: Table<R>, name: string): R => {
  const row = findRow(table, name);
  if (!row) throw new Error(`Nothing is registered as "${name}", although the run was validated.`);
  return row;
};

/** The row of a validated run's dataset. */
export const datasetRow = (name: string): DatasetRow => mustFind(current.dataset, name);

/** The row of a validated run's model. */
export const modelRow = (name: string): ModelRow => mustFind(current.model, name);

/** The row of a validated run's optimizer. */
export const optimizerRow = (name: string): OptimizerRow => mustFind(current.optimizer, name);
