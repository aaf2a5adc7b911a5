import { flatSettings, sweptValues } from '../plan/flat-settings.ts';
import { foldOf, type Run } from '../plan/plan.ts';
import type { Json } from '../system/json.ts';

/**
 * Paths in which flat configurations differ. `axes` (those of a plan) come first, in their order, then the rest in the order of the
 * configuration. A setting that only some runs have, as only some models take it, counts when its values differ, or when a sweep
 * varies it (`swept`).
 */
export const differingPaths = (
  configs: Iterable<ReadonlyMap<string, Json>>,
  axes: readonly string[] = [],
  swept: ReadonlySet<string> = new Set(),
): string[] => {
  const values = new Map<string, Set<string>>();
  const all = [...configs];
  for (const config of all) {
    for (const [path, value] of config) {
      const text = JSON.stringify(value);
      const seen = values.get(path);
      if (seen) seen.add(text);
      else values.set(path, new Set([text]));
    }
  }
  for (const path of swept)
    if (all.some((config) => !config.has(path))) values.get(path)?.add(JSON.stringify(null));
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
  const swept = new Set<string>();
  let alike = false;
  for (const run of runs) {
    if (flats.has(run.cell)) continue;
    const flat = flatSettings(run);
    for (const [path] of sweptValues(run)) swept.add(path);
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
  const varying = differingPaths(flats.values(), axes, swept);
  return {
    flatOf: (run: Run): ReadonlyMap<string, Json> => flats.get(run.cell) ?? flatSettings(run),
    varying: [...varying, ...pathsApart([...flats.values()], varying)],
  };
};

/**
 * Further paths in which configurations differ that are the same in `varying`: those that only some of them have. Runs of
 * different sweeps differ so where one sweep varies what the other leaves as by default.
 */
const pathsApart = (flats: readonly ReadonlyMap<string, Json>[], varying: readonly string[]): string[] => {
  const groups = new Map<string, ReadonlyMap<string, Json>[]>();
  for (const flat of flats) {
    const key = JSON.stringify(varying.map((path) => flat.get(path) ?? null));
    const group = groups.get(key);
    if (group) group.push(flat);
    else groups.set(key, [flat]);
  }
  const found = new Set<string>();
  for (const group of groups.values()) {
    const paths = group.length < 2 ? [] : new Set(group.flatMap((flat) => [...flat.keys()]));
    for (const path of paths) {
      const values = new Set(group.map((flat) => JSON.stringify(flat.get(path) ?? null)));
      if (values.size > 1) found.add(path);
    }
  }
  return [...found];
};
