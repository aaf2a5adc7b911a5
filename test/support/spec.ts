import { readYaml } from '../../src/language/read-yaml.ts';
import type { LocatedMap } from '../../src/language/located.ts';
import type { SpecDocument } from '../../src/language/located.ts';
import type { Plan } from '../../src/plan/plan.ts';
import type { Json } from '../../src/system/json.ts';
import { unrollSpec, type UnrollOptions } from '../../src/plan/plan-experiment.ts';
import { validateSpec } from '../../src/language/validate-spec.ts';
import type { Diagnostic } from '../../src/diagnostic/diagnostic.ts';
import { testRegistry } from './registry.ts';

/** A complete spec of the test registry; JSON is YAML. */
export const specText = (more: Readonly<Record<string, Json>> = {}): string =>
  JSON.stringify({
    version: 1,
    name: 'test',
    dataset: { name: 'mnist-rows' },
    model: { name: 'lstm' },
    optimizer: { name: 'adam', learningRate: 0.001 },
    train: { steps: 100 },
    ...more,
  });

export const documentOf = (text: string): SpecDocument => {
  const source = { name: 'spec.yaml', text };
  const root = readYaml({ source, text, shift: 0 });
  if (!root.ok) throw new Error(root.errors[0]?.message ?? '');
  return {
    path: 'spec.yaml',
    text,
    baseDirectory: process.cwd(),
    root: root.value as LocatedMap,
    extendedAt: new Map(),
  };
};

export interface Planned {
  readonly plan: Plan | undefined;
  readonly errors: readonly Diagnostic[];
  readonly notices: readonly Diagnostic[];
}

/** What a spec of the test registry becomes. */
export const planOf = async (
  more: Readonly<Record<string, Json>> = {},
  { cores = 2, ...options }: UnrollOptions & { readonly cores?: number } = {},
): Promise<Planned> => {
  const spec = validateSpec(documentOf(specText(more)), testRegistry);
  if (!spec.ok) return { plan: undefined, errors: spec.errors, notices: [] };
  const plan = await unrollSpec(spec.value, { cores }, options);
  return plan.ok
    ? { plan: plan.value, errors: [], notices: [...spec.notices, ...plan.notices] }
    : { plan: undefined, errors: plan.errors, notices: [] };
};

/** The plan of a spec that has no mistakes. */
export const soundPlan = async (
  more: Readonly<Record<string, Json>> = {},
  options: UnrollOptions & { readonly cores?: number } = {},
): Promise<Plan> => {
  const { plan, errors } = await planOf(more, options);
  if (!plan) throw new Error(errors.map(({ message }) => message).join('\n'));
  return plan;
};
