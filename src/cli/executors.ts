import { failure, success, type Diagnostic, type Result } from '../diagnostic/diagnostic.ts';
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

/** The options about other machines that each place knows. */
const known = {
  local: [],
  bullmq: ['class', 'maxParallel', 'priority'],
  slurm: ['maxParallel'],
} as const satisfies Record<(typeof executorChoices)[number], readonly (keyof ExecutorOptions)[]>;

const flags = { class: '--class', maxParallel: '--max-parallel', priority: '--priority' } as const;

/** An option that would have no effect where the runs train. */
const unusedOption = (
  name: (typeof executorChoices)[number],
  options: ExecutorOptions,
): Diagnostic | undefined => {
  const here: readonly string[] = known[name];
  const unused = known.bullmq.find((one) => options[one] !== undefined && !here.includes(one));
  if (unused === undefined) return undefined;
  const places = executorChoices.filter((one) => (known[one] as readonly string[]).includes(unused));
  return {
    code: 'bad-argument',
    severity: 'error',
    message: `${flags[unused]} has no effect where this sweep trains: --executor ${name}.`,
    expected: `${flags[unused]} with --executor ${places.join(' or ')}`,
    help: `Leave ${flags[unused]} out, or add \`--executor ${places[0] ?? ''}\`.`,
  };
};

/** Gets ready to train elsewhere; undefined for this machine. Nothing is queued yet when this reports an error. */
export const prepareExecutor = async (
  plan: Plan,
  options: ExecutorOptions,
): Promise<Result<RemoteExecutor | undefined>> => {
  const name = options.executor ?? 'local';
  const unused = unusedOption(name, options);
  if (unused) return failure(unused);
  switch (name) {
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
