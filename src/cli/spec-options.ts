import { commandLine } from '../language/overrides.ts';
import type { WantedConcurrency } from '../plan/execution.ts';

/** What the command line changes in a spec. */
export interface SpecOptions {
  readonly set: readonly string[];
  readonly sweep: readonly string[];
  readonly allowVariables: readonly string[];
  readonly allowManyRuns: boolean;
  readonly concurrency?: WantedConcurrency;
}

/** The options of `validate`, `plan` and `run` that change the spec, as commander reads them. */
export const readSpecOptions = (options: Readonly<Record<string, unknown>>): SpecOptions => ({
  set: (options['set'] ?? []) as readonly string[],
  sweep: (options['sweep'] ?? []) as readonly string[],
  allowVariables: (options['allowVariable'] ?? []) as readonly string[],
  allowManyRuns: options['yes'] === true,
  ...readConcurrency(options),
});

/** The value of `--concurrency`, if it is given, with its place. */
export const readConcurrency = ({
  concurrency: runs,
}: Readonly<Record<string, unknown>>): { readonly concurrency?: WantedConcurrency } => {
  if (typeof runs !== 'number') return {};
  const option = '--concurrency ';
  const text = `${option}${runs}`;
  const at = { source: { name: commandLine, text }, start: option.length, end: text.length };
  return { concurrency: { runs, at } };
};
