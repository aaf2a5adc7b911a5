import { failure, success, type Diagnostic, type Result } from '../../diagnostic/diagnostic.ts';
import { rememberMetrics } from '../../metrics/metrics.ts';
import { extendRegistry, registry as builtIn, type Registry } from '../rows.ts';
import { bundleConfig } from './bundle.ts';
import { findConfig } from './find-config.ts';
import { importBundle, readBundle, type ImportedConfig, definitionsIn } from './import-bundle.ts';
import { fileStart, offsetOf, placeInStack, sourceOf, type Origin } from './places.ts';
import type { Config } from './definitions.ts';
import { datasetRow, lossRow, metricRow, modelRow, optimizerRow } from './rows.ts';

/** The registries with the rows of a config, and the folder that holds its code as it is now. */
export interface Plugins {
  readonly registry: Registry;
  /** Absolute path of the config; undefined where there is none. */
  readonly config: string | undefined;
  /** What a child process imports to know the same rows. */
  readonly bundle: string | undefined;
}

const none: Plugins = { registry: builtIn, config: undefined, bundle: undefined };

/** The registries as the nearest config of a folder extends them. All mistakes of the config at once, never a throw. */
export const loadPlugins = async (folder: string): Promise<Result<Plugins>> => {
  const config = findConfig(folder);
  return config === undefined ? success(none) : await loadConfig(config);
};

/** The same for a config that is known: bundle, import, check. */
export const loadConfig = async (config: string): Promise<Result<Plugins>> => {
  const bundle = await bundleConfig(config);
  if (!bundle.ok) return bundle;
  let imported: ImportedConfig;
  try {
    imported = await importBundle(bundle.value);
  } catch (error) {
    return failure(thrownAtImport(error, config, new Set(bundle.value.modules.map(({ file }) => file))));
  }
  // Brings a compiler of schemas, which a child process never needs and would load with every start.
  const { checkConfig } = await import('./check-config.ts');
  const checked = checkConfig(imported, builtIn);
  if (!checked.ok) return checked;
  const { folder } = bundle.value;
  return success({ registry: extended(imported), config, bundle: folder });
};

/** The registries in a child process, from the folder that `loadPlugins` has checked. */
export const registryOfBundle = async (folder: string): Promise<Registry> =>
  extended(await importBundle(readBundle(folder)));

const extended = (imported: ImportedConfig): Registry => {
  const rows = rowsOfConfig(imported);
  rememberMetrics(rows.metric);
  return extendRegistry(builtIn, rows);
};

const thrownAtImport = (error: unknown, config: string, files: ReadonlySet<string>): Diagnostic => {
  const message = error instanceof Error ? error.message : String(error);
  const found = placeInStack(error, files);
  const source = found && sourceOf(found.file);
  const start = found && source ? offsetOf(source.text, found.line, found.column - 1) : 0;
  return {
    code: 'plugin-broken',
    severity: 'error',
    message: 'The code throws when it is imported.',
    at: source ? { source, start, end: start + wordLength(source.text, start) } : fileStart(config),
    expected: 'a module that only describes its entries',
    got: message,
    help: 'Fix the code at this place; what needs TensorFlow or data belongs into build or load.',
  };
};

const wordLength = (text: string, start: number): number => /^\w+/.exec(text.slice(start))?.[0].length ?? 1;

/** The rows of a config that was checked. */
const rowsOfConfig = (imported: ImportedConfig): Required<Registry> => {
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
