import { readFileSync } from 'node:fs';
import type { Diagnostic } from '../../src/diagnostic/diagnostic.ts';
import { type LoadOptions, loadSpec } from '../../src/language/load-spec.ts';
import { validateSpec } from '../../src/language/validate-spec.ts';
import { unrollSpec } from '../../src/plan/plan-experiment.ts';
import { weightsFinder } from '../../src/report/find-weights.ts';
import type { Registry } from '../../src/registry/rows.ts';

/** The stages in their order; `data` holds the mistakes of real datasets, which any stage may report. */
export const stages = ['load', 'validate', 'unroll', 'data'] as const;
export type Stage = (typeof stages)[number];

export interface Diagnosed {
  readonly stage: Stage;
  readonly diagnostics: readonly Diagnostic[];
}

/** Everything that is reported of a spec: its errors, or the warnings and notices of its plan. */
export const diagnose = async (
  path: string,
  registry: Registry,
  options: LoadOptions = {},
): Promise<Diagnosed> => {
  const document = await loadSpec(path, {
    environment: { MLFLOW_TRACKING_URL: 'http://localhost' },
    ...options,
  });
  if (!document.ok) return { stage: 'load', diagnostics: document.errors };
  const spec = validateSpec(document.value, registry);
  if (!spec.ok) return { stage: 'validate', diagnostics: spec.errors };
  const plan = await unrollSpec(spec.value, { cores: 2 }, { findWeights: weightsFinder('test/corpus/runs') });
  return { stage: 'unroll', diagnostics: plan.ok ? [...spec.notices, ...plan.notices] : plan.errors };
};

/** A comment in the first line, `# unroll plan FILE --set ...`, may give options of the command line. */
export const optionsOf = (path: string): LoadOptions => {
  const line = /^# unroll plan FILE (.*)$/m.exec(readFileSync(path, 'latin1'))?.[1] ?? '';
  const words = [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare ?? '');
  const after = (option: string) => words.filter((_, index) => words[index - 1] === option);
  return { set: after('--set'), sweep: after('--sweep') };
};
