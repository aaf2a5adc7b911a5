import type { RunConfig } from '../language/config.ts';
import { isObject, leavesOf, type Json } from '../system/json.ts';
import { isReplicateKey, type Run } from './plan.ts';

/** The settings of a run by path: `model.hiddenSize`, `optimizer.schedule.name`. */
export const flattenConfig = (config: RunConfig): Map<string, Json> => new Map(leavesOf(config));

/**
 * The settings of a run by path, with those that its sweep varies: a configuration leaves out some that are as by default, such
 * as `train.accumulate: 1`.
 */
export const flatSettings = (run: Pick<Run, 'config' | 'varying'>): Map<string, Json> => {
  const flat = flattenConfig(run.config);
  for (const [path, value] of sweptValues(run)) if (!flat.has(path)) flat.set(path, value);
  return flat;
};

/** What a sweep varies, value by value: a whole mapping has its keys beside it. */
export const sweptValues = ({ varying }: Pick<Run, 'varying'>): readonly (readonly [string, Json])[] =>
  Object.entries(varying).filter(([path, value]) => !isReplicateKey(path) && !isObject(value));
