import type { DataContext } from '../data/dataset.ts';
import { success, type Result } from '../diagnostic/diagnostic.ts';
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

/** From a file to its plan: load, validate, unroll. All mistakes of the first stage that has any, never a throw. */
export const planExperiment = async (path: string, options: PlanOptions): Promise<Result<Plan>> => {
  const { set = [], sweep = [], cores, concurrency, allowManyRuns = false, reading } = options;
  const document = await loadSpec(path, { set, sweep });
  if (!document.ok) return document;
  const spec = validateSpec(document.value);
  if (!spec.ok) return spec;
  const chosen = concurrency === undefined ? {} : { concurrency };
  const plan = await unrollSpec(spec.value, { cores }, { ...chosen, allowManyRuns, reading });
  return plan.ok ? success(plan.value, [...document.notices, ...spec.notices, ...plan.notices]) : plan;
};
