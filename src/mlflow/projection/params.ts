import { flatSettings } from '../../plan/flat-settings.ts';
import type { Run } from '../../plan/plan.ts';
import { leavesOf, type Json } from '../../system/json.ts';
import { cleanKey, cutText, limits } from '../client/limits.ts';
import type { WirePair } from '../client/wire.ts';
import type { SweepResults } from './sweep-results.ts';

/** The leaves that are set; null means that nothing is. */
const setLeaves = (value: Json) => leavesOf(value).filter(([, leaf]) => leaf !== null);

const toText = (value: Json): string => (typeof value === 'string' ? value : JSON.stringify(value));

/**
 * The resolved configuration, flat, under the names of the spec: `model.hiddenSize`, `optimizer.learningRate`, `seed`.
 * What varies comes first, also where it is as by default. Only leaves, nothing derived: the server offers every parameter that differs as an axis.
 */
export const runParams = (run: Run): readonly WirePair[] => {
  const all = new Map<string, string>(
    [...flatSettings(run), ['seed', run.seed] as const].flatMap(([key, value]) =>
      // Null means that nothing is set.
      value === null ? [] : [[key, toText(value)]],
    ),
  );
  const varying = Object.keys(run.varying).flatMap((path) =>
    [...all.keys()].filter((key) => key === path || key.startsWith(`${path}.`)),
  );
  const order = [...new Set([...varying, ...[...all.keys()].sort()])];
  return order.map((key) => ({ key: cleanKey(key), value: cutText(all.get(key) ?? '', limits.paramLength) }));
};

/**
 * What the best of a sweep's runs has on the axes, for the sweep's own run. The server never changes a parameter, and a run
 * that is trained later may be better, so the name has the number of runs that were compared.
 */
export const bestParams = (
  { completed, best, groups }: SweepResults,
  axes: readonly string[],
): readonly WirePair[] => {
  const winner = groups === 1 ? best[0]?.run : undefined;
  if (!winner) return [];
  const values: Json = Object.fromEntries(
    [...axes, ...Object.keys(winner.varying)].flatMap((axis) => {
      const value = winner.varying[axis];
      return value === undefined ? [] : [[axis, value]];
    }),
  );
  return [...setLeaves(values), ['run', winner.id] as const].map(([key, value]) => ({
    key: cleanKey(`best of ${completed}.${key}`),
    value: cutText(toText(value), limits.paramLength),
  }));
};
