import { success, type Diagnostic, type Result } from '../diagnostic/diagnostic.ts';
import type { Executor } from '../executor/executor.ts';
import type { Plan } from '../plan/plan.ts';
import type { RunListener } from '../record/events.ts';

/** Where `run` and `resume` can train. */
export const executorChoices = ['local', 'bullmq', 'slurm'] as const;

/** How the command line says where runs train, as commander reads it. */
export interface ExecutorOptions {
  readonly executor?: (typeof executorChoices)[number] | undefined;
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

/** Gets ready to train elsewhere; undefined for this machine. Nothing is queued yet when this reports an error. */
export const prepareExecutor = async (
  plan: Plan,
  options: ExecutorOptions,
): Promise<Result<RemoteExecutor | undefined>> => {
  switch (options.executor ?? 'local') {
    case 'local':
      return success(undefined);
    case 'bullmq': {
      const { prepareBullmq } = await import('./bullmq-executor.ts');
      return await prepareBullmq(plan, options);
    }
    case 'slurm': {
      const { prepareSlurm } = await import('./slurm-executor.ts');
      return await prepareSlurm(plan, options);
    }
  }
};
