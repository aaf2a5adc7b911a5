import { definitionsIn, type ImportedConfig } from './import-bundle.ts';
import type { Config } from './definitions.ts';
import type { Origin } from './places.ts';
import { datasetRow, lossRow, metricRow, modelRow, optimizerRow, type PluginRows } from './rows.ts';

/** The rows of a config that was checked. */
export const rowsOfConfig = (imported: ImportedConfig): PluginRows => {
  const { model, dataset, optimizer, loss, metric } = definitionsIn(imported.config as Config);
  const table = <D extends { readonly name: string }, R>(
    definitions: readonly D[],
    rowOf: (definition: D, origin: Origin) => R,
  ): Readonly<Record<string, R>> =>
    Object.fromEntries(
      definitions.map((definition) => {
        const { file, digest } = imported.originOf(definition);
        return [definition.name, rowOf(definition, { file, digest, files: imported.files })];
      }),
    );
  return {
    dataset: table(dataset, datasetRow),
    model: table(model, modelRow),
    optimizer: table(optimizer, optimizerRow),
    loss: table(loss, lossRow),
    metric: table(metric, metricRow),
  };
};
