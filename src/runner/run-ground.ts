import type { DatasetRow } from '../data/dataset.ts';
import type { Run } from '../plan/plan.ts';
import { loadPlugins } from '../registry/own/load-plugins.ts';
import { findRow, registry as builtIn, type Registry } from '../registry/rows.ts';

/** The registries as the config of a folder extends them now; the built-in ones where it has none, or one with errors. */
export const registryIn = async (folder: string): Promise<Registry> => {
  const plugins = await loadPlugins(folder);
  return plugins.ok ? plugins.value.registry : builtIn;
};

/** Asks a run's dataset as it is now. Returns undefined if the data cannot be read, or the dataset no longer exists. */
export const askDataset = async <T>(
  { config: { dataset } }: Run,
  registry: Registry,
  ask: (row: DatasetRow) => T | Promise<T>,
): Promise<T | undefined> => {
  const row = findRow(registry.dataset, dataset.name);
  try {
    return row && (await ask(row));
  } catch {
    return undefined;
  }
};
