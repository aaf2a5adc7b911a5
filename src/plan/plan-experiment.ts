import { relative } from 'node:path';
import { success, type Result } from '../diagnostic/diagnostic.ts';
import { loadPlugins } from '../registry/own/load-plugins.ts';
import { withDataPaths } from '../language/data-paths.ts';
import { loadSpec, type SpecDocument } from '../language/load-spec.ts';
import type { WantedConcurrency } from './execution.ts';
import type { Plan } from './plan.ts';
import { unrollSpec } from './unroll-spec.ts';
import type { ResolveOptions } from './resolve-points.ts';
import { validateSpec } from '../language/validate-spec.ts';

export interface PlanOptions extends ResolveOptions {
  /** `path=value` of each `--set`. */
  readonly set?: readonly string[];
  /** `path=a,b` of each `--sweep`. */
  readonly sweep?: readonly string[];
  /** Environment variables that the spec may read, besides those that every spec may. */
  readonly allowVariables?: readonly string[];
  /** More runs than the spec's `maxRuns` are fine. */
  readonly allowManyRuns?: boolean;
  /** Over the spec's. */
  readonly concurrency?: WantedConcurrency;
  /** Cores of the machine that will train. */
  readonly cores: number;
}

/**
 * From a file to its plan: load (the spec, and the rows of the nearest config), validate, unroll. All mistakes of the
 * first stage that has any, never a throw.
 */
export const planExperiment = async (path: string, options: PlanOptions): Promise<Result<Plan>> => {
  const { set = [], sweep = [], allowVariables = [] } = options;
  const document = await loadSpec(path, { set, sweep, allowVariables });
  if (!document.ok) return document;
  const plan = await planDocument(document.value, options);
  return plan.ok ? success(plan.value, [...document.notices, ...plan.notices]) : plan;
};

/** From a document to its plan. */
export const planDocument = async (
  document: SpecDocument,
  {
    cores,
    concurrency,
    allowManyRuns = false,
    reading,
    findWeights,
  }: Omit<PlanOptions, 'set' | 'sweep' | 'allowVariables'>,
): Promise<Result<Plan>> => {
  const { baseDirectory } = document;
  const plugins = await loadPlugins(baseDirectory);
  if (!plugins.ok) return plugins;
  const { registry, config } = plugins.value;
  const spec = validateSpec(withDataPaths(document, registry), registry);
  if (!spec.ok) return spec;
  const chosen = concurrency === undefined ? {} : { concurrency };
  const plan = await unrollSpec(spec.value, { cores }, { ...chosen, allowManyRuns, reading, findWeights });
  if (!plan.ok) return plan;
  const from = config === undefined ? {} : { config: relative(baseDirectory, config) };
  return success({ ...plan.value, ...from }, [...spec.notices, ...plan.notices]);
};
