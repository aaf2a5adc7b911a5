import { resolve } from 'node:path';
import { success, type Result } from '../diagnostic/diagnostic.ts';
import { checkSlurm } from '../executor/slurm/check.ts';
import { batchesDirectory } from '../executor/slurm/folder.ts';
import { createSlurmExecutor } from '../executor/slurm/slurm.ts';
import { cpusOfRun } from '../executor/slurm/submit-batch.ts';
import { usualSlurm } from '../plan/execution.ts';
import type { Plan } from '../plan/plan.ts';
import { listRuns } from '../record/read-runs.ts';
import { measuredLengths } from '../runner/estimate.ts';
import type { StoreOptions } from '../store/open-address.ts';
import { comeBackTo, type ExecutorOptions, type RemoteExecutor } from './remote-executor.ts';

/** Checks that the cluster would take the jobs of a plan. */
export const prepareSlurm = async (
  plan: Plan,
  options: ExecutorOptions & StoreOptions,
): Promise<Result<RemoteExecutor>> => {
  const { runsDirectory, maxParallel } = options;
  const { slurm: settings = usualSlurm, threadsPerRun } = plan.execution;
  const directory = resolve(batchesDirectory(runsDirectory, plan));
  const checked = await checkSlurm(settings, { cpus: cpusOfRun(settings, threadsPerRun), directory });
  if (!checked.ok) return checked;
  return success({
    name: 'slurm',
    warnings: [],
    // Many share a login node.
    mayMeasure: false,
    open: (listener) =>
      Promise.resolve(
        createSlurmExecutor({
          directory,
          name: `unroll-${plan.sweepId}`,
          settings,
          slots: Math.min(checked.value.slots, maxParallel ?? Infinity),
          maxParallel,
          isSearch: plan.search !== undefined,
          lengthsOf: (runs) => {
            const { runs: recorded } = listRuns(runsDirectory, { experiment: plan.experiment });
            const standings = runs.map(
              (run) => ({ run, state: 'new', reason: '', outcome: null, attempt: 0 }) as const,
            );
            return measuredLengths(standings, recorded, threadsPerRun);
          },
          note: (level, message) => listener({ type: 'note', level, message }),
          showHosts: (hosts) => listener({ type: 'hosts-changed', hosts }),
        }),
      ),
    leaving: 'Detaching: the jobs continue without this command. Ctrl-C again to submit no more.',
    comeBack: comeBackTo(plan, 'jobs', options),
  });
};
