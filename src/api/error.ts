import type { Diagnostic, Result } from '../diagnostic/diagnostic.ts';
import { forTerminal } from '../terminal/colours.ts';
import { masked } from '../system/secrets.ts';
import { renderDiagnostics } from '../diagnostic/render.ts';

/** What the user can fix: `message` is what the command line would print, `diagnostics` the same as data. */
export class UnrollError extends Error {
  readonly diagnostics: readonly Diagnostic[];
  constructor(diagnostics: readonly Diagnostic[]) {
    super(forTerminal(masked(renderDiagnostics(diagnostics)), false));
    this.name = 'UnrollError';
    this.diagnostics = diagnostics;
  }
}

/** The value of a stage. Throws `UnrollError` with everything that is wrong. */
export const unwrap = <T>(result: Result<T>): T => {
  if (!result.ok) throw new UnrollError(result.errors);
  return result.value;
};
