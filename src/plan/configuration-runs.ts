import type { Run } from './plan.ts';
import type { Configuration } from './resolve-points.ts';
import type { Spec } from '../language/validate-spec.ts';
import { varyingReader } from './varying.ts';

/** Makes the runs of a configuration, one for each seed; `paths` are what varies within the sweep. */
export const configurationRuns = ({ experiment, seeds }: Spec, paths: readonly string[]) => {
  const varyingOf = varyingReader(paths);
  return (configuration: Configuration): Run[] => {
    const { config, datasetDigest, versions, code } = configuration;
    const varying = varyingOf(configuration);
    return seeds.map((seed, index) => ({
      id: configuration.runIds[index] ?? '',
      cell: configuration.id,
      experiment,
      seed,
      config,
      datasetDigest,
      versions,
      ...(code && { code }),
      varying: seeds.length > 1 ? { ...varying, seed } : varying,
    }));
  };
};
