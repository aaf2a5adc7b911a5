import type { Diagnostic } from '../diagnostic/diagnostic.ts';
import { RecordUnreadable } from '../record/record-unreadable.ts';
import { systemErrorOf } from '../system/system-error.ts';
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
  const found = systemErrorOf(error);
  if (!found) return undefined;
  const { code, message, advice } = found;
  const diagnostic: Diagnostic = {
    code: 'system-error',
    severity: 'error',
    message: `${message}.`,
    got: code,
    help: advice,
  };
  return { diagnostic, exitCode: 1 };
};
