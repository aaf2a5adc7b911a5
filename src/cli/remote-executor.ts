import type { Diagnostic } from '../diagnostic/diagnostic.ts';
import type { Executor, ExecutorName } from '../executor/executor.ts';
import type { RunListener } from '../record/events.ts';

/** How the command line says where runs train, as commander reads it. */
export interface ExecutorOptions {
  readonly executor?: ExecutorName | undefined;
  readonly class?: string | undefined;
  readonly maxParallel?: number | undefined;
  readonly priority?: number | undefined;
  readonly runsDirectory: string;
}

/** An executor of other machines that is ready for a sweep. */
export interface RemoteExecutor {
  readonly warnings: readonly Diagnostic[];
  readonly open: (listener: RunListener) => Promise<Executor>;
  /** What is printed when Ctrl-C leaves the runs to the other machines. */
  readonly leaving: string;
  /** How to come back to them, and how to end them. */
  readonly comeBack: readonly string[];
}
