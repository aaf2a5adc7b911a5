import { failure } from '../../diagnostic/diagnostic.ts';
import type { Diagnostic, Result } from '../../diagnostic/diagnostic.ts';

/** Something the set-up could not do, and how to fix it. */
const setupProblem = (message: string, help: string): Diagnostic => ({
  code: 'backend-missing',
  severity: 'warning',
  message,
  help,
});

/** The failed outcome of one step of the set-up. */
export const setupFailure = <T = never>(message: string, help: string): Result<T> =>
  failure<T>(setupProblem(message, help));
