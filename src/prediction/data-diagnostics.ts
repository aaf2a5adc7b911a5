import type { DataError } from '../data/dataset.ts';
import type { Diagnostic } from '../diagnostic/diagnostic.ts';

/** What is wrong with a file that is predicted or evaluated, for the user. */
export const dataDiagnostics = ({ code, issues }: DataError): readonly Diagnostic[] =>
  issues.map(({ message, expected, got, help }) => ({
    code,
    severity: 'error',
    message,
    ...(expected !== undefined && { expected }),
    ...(got !== undefined && { got }),
    ...(help !== undefined && { help }),
  }));
