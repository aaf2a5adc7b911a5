import type { Diagnostic } from '../diagnostic/diagnostic.ts';

/** A recorded file is there and cannot be used, and nothing can be done without it. */
export class RecordUnreadable extends Error {
  readonly diagnostic: Diagnostic;
  constructor(diagnostic: Diagnostic) {
    super(diagnostic.message);
    this.diagnostic = diagnostic;
  }
}
