import { commandLine } from '../language/located.ts';
import type { WantedConcurrency } from '../plan/execution.ts';
import type { PlanOptions } from '../plan/plan-experiment.ts';

/** The options that change the spec, as commander reads them. `validate` and `plan` have fewer of them than `run`. */
export interface GivenSpecOptions extends GivenConcurrency {
  readonly set?: readonly string[] | undefined;
  readonly sweep?: readonly string[] | undefined;
  readonly allowVariable?: readonly string[] | undefined;
  readonly yes?: boolean | undefined;
}

interface GivenConcurrency {
  readonly concurrency?: number | undefined;
}

export const readSpecOptions = (options: GivenSpecOptions): Omit<PlanOptions, 'cores'> => ({
  set: options.set ?? [],
  sweep: options.sweep ?? [],
  allowVariables: options.allowVariable ?? [],
  allowManyRuns: options.yes === true,
  ...readConcurrency(options),
});

/** The value of `--concurrency`, if it is given, with its place. */
export const readConcurrency = ({
  concurrency: runs,
}: GivenConcurrency): { readonly concurrency?: WantedConcurrency } => {
  if (runs === undefined) return {};
  const option = '--concurrency ';
  const text = `${option}${runs}`;
  const at = { source: { name: commandLine, text }, start: option.length, end: text.length };
  return { concurrency: { runs, at } };
};
