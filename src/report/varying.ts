import type { Json, Run, RunConfig } from '../spec/plan.ts';

/** The settings of a run by path: `model.hiddenSize`, `optimizer.schedule.name`. Lists are settings themselves. */
export const flattenConfig = (config: RunConfig): Map<string, Json> => {
  const flat = new Map<string, Json>();
  const walk = (value: Json, path: string): void => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      flat.set(path, value);
      return;
    }
    for (const [key, inner] of Object.entries(value)) walk(inner, path ? `${path}.${key}` : key);
  };
  walk(config as unknown as Json, '');
  return flat;
};

/**
 * Paths in which runs differ. `axes` (those of a plan) come first, in their order, then the rest in the order of the
 * configuration. A setting that only some runs have, as only some models take it, counts when its values differ.
 */
export const varyingPaths = (runs: readonly Run[], axes: readonly string[] = []): string[] => {
  const values = new Map<string, Set<string>>();
  for (const config of new Set(runs.map((run) => run.config))) {
    for (const [path, value] of flattenConfig(config)) {
      const seen = values.get(path);
      if (seen) seen.add(JSON.stringify(value));
      else values.set(path, new Set([JSON.stringify(value)]));
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
