import type { RunConfig } from '../language/config.ts';
import { leavesOf, type Json } from '../system/json.ts';

/** The settings of a run by path: `model.hiddenSize`, `optimizer.schedule.name`. */
export const flattenConfig = (config: RunConfig): Map<string, Json> =>
  new Map(leavesOf(config as unknown as Json));

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
