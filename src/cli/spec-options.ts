/** What the command line changes in a spec. */
export interface SpecOptions {
  readonly set: readonly string[];
  readonly sweep: readonly string[];
  readonly allowVariables: readonly string[];
  readonly allowManyRuns: boolean;
  readonly concurrency?: number;
}

/** The options of `validate`, `plan` and `run` that change the spec, as commander reads them. */
export const readSpecOptions = (options: Readonly<Record<string, unknown>>): SpecOptions => ({
  set: (options['set'] ?? []) as readonly string[],
  sweep: (options['sweep'] ?? []) as readonly string[],
  allowVariables: (options['allowVariable'] ?? []) as readonly string[],
  allowManyRuns: options['yes'] === true,
  ...(typeof options['concurrency'] === 'number' && { concurrency: options['concurrency'] }),
});
