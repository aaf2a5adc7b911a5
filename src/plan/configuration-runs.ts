import type { Choice, Dimension, Sweep } from '../language/sweep/sweep.ts';
import type { Spec } from '../language/validate-spec.ts';
import { valueIn } from '../search/grid.ts';
import { leavesOf, type Json } from '../system/json.ts';
import type { Run } from './plan.ts';
import type { Configuration } from './resolve-points.ts';

/** Makes the runs of a configuration, one a fold and seed; `paths` are what varies within the sweep. */
export const configurationRuns = ({ experiment, seeds }: Spec, paths: readonly string[]) => {
  const varyingOf = varyingReader(paths);
  return (configuration: Configuration): Run[] => {
    const { config, datasetDigest, versions, code, start, vectors, files } = configuration;
    const varying = varyingOf(configuration);
    return configuration.replicates.map(({ runId, seed, fold }) => ({
      id: runId,
      cell: configuration.id,
      experiment,
      seed,
      config: fold === undefined ? config : { ...config, dataset: { ...config.dataset, fold } },
      datasetDigest,
      versions,
      ...(code && { code }),
      ...(start && { start }),
      ...(vectors !== undefined && { vectors }),
      ...(files && { files }),
      varying: {
        ...varying,
        ...(fold !== undefined && { fold }),
        ...(seeds.length > 1 && { seed }),
      },
    }));
  };
};

/**
 * The paths in which configurations differ, in the order of the file. A choice that is a whole block, such as one of several
 * optimizers, counts as the parameters that are written in it.
 */
export const sweptPaths = (sweep: Sweep, configurations: readonly Configuration[]): readonly string[] => {
  const paths = new Set<string>();
  const addChoice = ({ key, value }: Choice) => {
    for (const [path] of leavesOf(value, key)) paths.add(path);
  };
  const addDimension = (dimension: Dimension) => {
    if (dimension.kind === 'interval') dimension.keys.forEach((key) => paths.add(key));
    else dimension.options.forEach((option) => option.forEach(addChoice));
  };
  sweep.dimensions.forEach(addDimension);
  sweep.when.forEach(({ dimensions }) => dimensions.forEach(addDimension));
  sweep.add.forEach((point) => point.forEach(addChoice));
  // Points that are proposed later may differ where the first ones do not.
  return sweep.method === 'tpe'
    ? [...paths]
    : [...paths].filter((path) => differs(path.split('.'), configurations));
};

const differs = (path: readonly string[], configurations: readonly Configuration[]): boolean => {
  const text = (configuration: Configuration) => JSON.stringify(valueIn(configuration.config, path));
  const [first] = configurations;
  const one = first && text(first);
  return configurations.some((configuration) => text(configuration) !== one);
};

/** Reads a configuration's values at the varying paths; a path that its entries do not have is left out. */
const varyingReader = (paths: readonly string[]) => {
  const split = paths.map((path) => [path, path.split('.')] as const);
  return ({ config, point }: Configuration): Readonly<Record<string, Json>> => {
    const values: Record<string, Json> = {};
    for (const [path, keys] of split) {
      // A default that is left out of the configuration is still what the sweep chose.
      const value = valueIn(config, keys) ?? point.find(({ key }) => key === path)?.value;
      if (value !== undefined) values[path] = value;
    }
    return values;
  };
};
