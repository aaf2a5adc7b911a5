import type { RunConfig } from '../language/config.ts';
import { leavesOf, type Json } from '../system/json.ts';
import { foldOf, type Run } from '../plan/plan.ts';

/** The settings of a run by path: `model.hiddenSize`, `optimizer.schedule.name`. */
export const flattenConfig = (config: RunConfig): Map<string, Json> => new Map(leavesOf(config));

/**
 * Paths in which flat configurations differ. `axes` (those of a plan) come first, in their order, then the rest in the order of the
 * configuration. A setting that only some runs have, as only some models take it, counts when its values differ.
 */
export const differingPaths = (
  configs: Iterable<ReadonlyMap<string, Json>>,
  axes: readonly string[] = [],
): string[] => {
  const values = new Map<string, Set<string>>();
  for (const config of configs) {
    for (const [path, value] of config) {
      const text = JSON.stringify(value);
      const seen = values.get(path);
      if (seen) seen.add(text);
      else values.set(path, new Set([text]));
    }
  }
  const rank = (path: string) => {
    const at = axes.findIndex((axis) => path === axis || path.startsWith(`${axis}.`));
    return at === -1 ? axes.length : at;
  };
  return [...values]
    .filter(([, seen]) => seen.size > 1)
    .map(([path]) => path)
    .sort((a, b) => rank(a) - rank(b));
};

/** The flat settings of each run, and the paths in which they differ. */
export const settingsOf = (runs: readonly Run[], axes: readonly string[] = []) => {
  // Runs of a configuration differ only by fold and seed, so thousands of runs are flattened once for each configuration.
  const flats = new Map<string, Map<string, Json>>();
  const texts = new Map<string, string>();
  let alike = false;
  for (const run of runs) {
    if (flats.has(run.cell)) continue;
    const flat = flattenConfig(run.config);
    if (foldOf(run) !== undefined) flat.delete('dataset.fold');
    flats.set(run.cell, flat);
    const text = JSON.stringify([...flat]);
    alike ||= texts.has(text);
    texts.set(text, run.cell);
  }
  if (alike) {
    // The same settings and yet other runs: the data or the code has changed in between.
    for (const run of runs) {
      const flat = flats.get(run.cell);
      flat?.set('datasetDigest', run.datasetDigest.slice(0, 12));
      for (const [part, version] of Object.entries(run.versions)) flat?.set(`versions.${part}`, version);
      const { metrics = {}, ...code } = run.code ?? {};
      for (const [part, digest] of Object.entries({ ...code, ...metrics }))
        flat?.set(`code.${part}`, digest.slice(0, 12));
    }
  }
  return {
    flatOf: (run: Run): ReadonlyMap<string, Json> => flats.get(run.cell) ?? flattenConfig(run.config),
    varying: differingPaths(flats.values(), axes),
  };
};
