import { relative } from 'node:path';
import type { DataContext } from '../data/dataset.ts';
import { success, type Result } from '../diagnostic/diagnostic.ts';
import { loadPlugins } from '../plugins/load-plugins.ts';
import { loadSpec } from './load-spec.ts';
import type { Plan } from './plan.ts';
import { unrollSpec } from './unroll-spec.ts';
import { validateSpec } from './validate-spec.ts';

export interface PlanOptions {
  /** `path=value` of each `--set`. */
  readonly set?: readonly string[];
  /** `path=a,b` of each `--sweep`. */
  readonly sweep?: readonly string[];
  /** More runs than the spec's `maxRuns` are fine. */
  readonly allowManyRuns?: boolean;
  /** The command line's `--concurrency`. */
  readonly concurrency?: number;
  /** Cores of the machine that will train. */
  readonly cores: number;
  /** Hears how far large data files are read. */
  readonly reading?: DataContext['reading'];
}

/**
 * From a file to its plan: load (the spec, and the rows of the nearest config), validate, unroll. All mistakes of the
 * first stage that has any, never a throw.
 */
export const planExperiment = async (path: string, options: PlanOptions): Promise<Result<Plan>> => {
  const { set = [], sweep = [], cores, concurrency, allowManyRuns = false, reading } = options;
  const document = await loadSpec(path, { set, sweep });
  if (!document.ok) return document;
  const { baseDirectory } = document.value;
  const plugins = await loadPlugins(baseDirectory);
  if (!plugins.ok) return plugins;
  const { registry, config } = plugins.value;
  const spec = validateSpec(document.value, registry);
  if (!spec.ok) return spec;
  const chosen = concurrency === undefined ? {} : { concurrency };
  const plan = await unrollSpec(spec.value, { cores }, { ...chosen, allowManyRuns, reading });
  if (!plan.ok) return plan;
  const from = config === undefined ? {} : { config: relative(baseDirectory, config) };
  return success({ ...plan.value, ...from }, [...document.notices, ...spec.notices, ...plan.notices]);
};
