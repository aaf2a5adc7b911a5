import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { readRegularText } from '../../system/files.ts';
import { modulesFile, type Bundle, type PluginModule } from './bundle.ts';
import type { Config } from './definitions.ts';

/** The definitions of a kind that a config may list. */
export const configKinds = {
  models: 'model',
  datasets: 'dataset',
  optimizers: 'optimizer',
  losses: 'loss',
  metrics: 'metric',
} as const;

/** A config that was imported, and which module each definition comes from. */
export interface ImportedConfig {
  /** What the config exports by default; not checked. */
  readonly config: unknown;
  readonly file: string;
  readonly originOf: (definition: unknown) => PluginModule;
  /** Every file of the user's. */
  readonly files: ReadonlySet<string>;
}

/** The modules of a bundle's folder. */
export const readBundle = (folder: string): Bundle => ({
  folder,
  modules: JSON.parse(readRegularText(join(folder, modulesFile))) as PluginModule[],
});

/**
 * Imports a bundled config. A definition belongs to the module that exports it, so that a change elsewhere leaves its
 * digest alone; one that is made in the config itself belongs to that. Throws what the code throws.
 */
export const importBundle = async ({ folder, modules }: Bundle): Promise<ImportedConfig> => {
  // Errors then name the lines of the user's file.
  process.setSourceMapsEnabled(true);
  const load = async ({ output }: PluginModule) =>
    (await import(pathToFileURL(join(folder, output)).href)) as Readonly<Record<string, unknown>>;
  const [configModule] = modules;
  if (!configModule) throw new Error('A bundle without modules. This is a bug in Unroll.');
  const { default: config } = await load(configModule);
  const origins = new Map<unknown, PluginModule>();
  for (const one of modules.slice(1)) {
    // What the config has not imported yet may be slow to load, such as TensorFlow.
    if (!one.eager) continue;
    for (const exported of Object.values(await load(one)))
      if (!origins.has(exported)) origins.set(exported, one);
  }
  return {
    config,
    file: configModule.file,
    originOf: (definition) => origins.get(definition) ?? configModule,
    files: new Set(modules.map(({ file }) => file)),
  };
};

/** What a checked config lists, by section of a spec. */
export const definitionsIn = (config: Config) => ({
  model: config.models ?? [],
  dataset: config.datasets ?? [],
  optimizer: config.optimizers ?? [],
  loss: config.losses ?? [],
  metric: config.metrics ?? [],
});
