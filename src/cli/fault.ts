import type { Diagnostic } from '../diagnostic/diagnostic.ts';
import { systemProblem } from '../diagnostic/system-problem.ts';
import { RecordUnreadable } from '../record/record-unreadable.ts';
import { NoHome } from '../system/home-folder.ts';
import type { ExitCode } from './command.ts';

/** The message and exit code of a command for an error that is not a bug. */
export interface Fault {
  readonly diagnostic: Diagnostic;
  readonly exitCode: ExitCode;
}

/** The fault behind an error that a command did not handle; undefined for a bug. */
export const faultOf = (error: unknown): Fault | undefined => {
  if (error instanceof RecordUnreadable)
    return { diagnostic: { ...error.diagnostic, severity: 'error' }, exitCode: 2 };
  if (error instanceof NoHome)
    return {
      diagnostic: { code: 'system-error', severity: 'error', message: error.message, help: error.help },
      exitCode: 2,
    };
  const diagnostic = systemProblem(error);
  return diagnostic && { diagnostic, exitCode: 1 };
};
