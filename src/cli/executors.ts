import { failure, success, type Diagnostic, type Result } from '../diagnostic/diagnostic.ts';
import { executorNames, type ExecutorName } from '../executor/executor.ts';
import type { Plan } from '../plan/plan.ts';
import type { StoreOptions } from '../store/open-address.ts';
import type { ExecutorGround, ExecutorOptions, RemoteExecutor } from './remote-executor.ts';

/** The options about other machines that each place knows. */
const known = {
  local: [],
  bullmq: ['class', 'maxParallel', 'priority', 'shareData'],
  slurm: ['maxParallel'],
} as const satisfies Record<ExecutorName, readonly (keyof ExecutorOptions)[]>;

const flags = {
  class: '--class',
  maxParallel: '--max-parallel',
  priority: '--priority',
  shareData: '--share-data',
} as const;

/** An option that would have no effect where the runs train. */
const unusedOption = (name: ExecutorName, options: ExecutorOptions): Diagnostic | undefined => {
  const here: readonly string[] = known[name];
  const unused = known.bullmq.find((one) => options[one] !== undefined && !here.includes(one));
  if (unused === undefined) return undefined;
  const places = executorNames.filter((one) => (known[one] as readonly string[]).includes(unused));
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
  options: ExecutorOptions & StoreOptions,
  ground: ExecutorGround = { store: undefined },
): Promise<Result<RemoteExecutor | undefined>> => {
  const name = options.executor ?? 'local';
  const unused = unusedOption(name, options);
  if (unused) return failure(unused);
  switch (name) {
    case 'local':
      return success(undefined);
    case 'bullmq': {
      const { prepareBullmq } = await import('./bullmq-executor.ts');
      return await prepareBullmq(plan, options, ground);
    }
    case 'slurm': {
      const { prepareSlurm } = await import('./slurm-executor.ts');
      return await prepareSlurm(plan, options);
    }
  }
};
