import type { Run } from './plan.ts';
import type { Cell } from './resolve-points.ts';
import type { Spec } from './validate-spec.ts';
import { varyingReader } from './varying.ts';

/** Makes the runs of a cell, one for each seed; `paths` are what varies within the sweep. */
export const cellRuns = ({ experiment, seeds }: Spec, paths: readonly string[]) => {
  const varyingOf = varyingReader(paths);
  return (cell: Cell): Run[] => {
    const { config, datasetDigest, versions, code } = cell;
    const varying = varyingOf(cell);
    return seeds.map((seed, index) => ({
      id: cell.runIds[index] ?? '',
      cell: cell.id,
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
