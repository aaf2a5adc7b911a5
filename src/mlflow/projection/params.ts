import type { Run } from '../../plan/plan.ts';
import { leavesOf, type Json } from '../../system/json.ts';
import { cleanKey, cutText, limits } from '../client/limits.ts';
import type { WirePair } from '../client/wire.ts';

/** The leaves that are set; null means that nothing is. */
const setLeaves = (value: Json) => leavesOf(value).filter(([, leaf]) => leaf !== null);

const toText = (value: Json): string => (typeof value === 'string' ? value : JSON.stringify(value));

/**
 * The resolved configuration, flat, under the names of the spec: `model.hiddenSize`, `optimizer.learningRate`, `seed`.
 * What varies comes first. Only leaves, nothing derived: the server offers every parameter that differs as an axis.
 */
export const runParams = (run: Run): readonly WirePair[] => {
  const all = new Map<string, string>(
    setLeaves({ ...run.config, seed: run.seed }).map(([key, value]) => [key, toText(value)]),
  );
  const varying = Object.keys(run.varying).flatMap((path) =>
    [...all.keys()].filter((key) => key === path || key.startsWith(`${path}.`)),
  );
  const order = [...new Set([...varying, ...[...all.keys()].sort()])];
  return order.map((key) => ({ key: cleanKey(key), value: cutText(all.get(key) ?? '', limits.paramLength) }));
};

/** The leaves of one section as pairs, such as a model's own parameters. */
export const sectionParams = (section: Json): readonly WirePair[] =>
  setLeaves(section).map(([key, value]) => ({
    key: cleanKey(key),
    value: cutText(toText(value), limits.paramLength),
  }));
