import { failure, success, type Result } from '../diagnostic/diagnostic.ts';
import { find } from '../language/located.ts';
import type { Execution } from '../language/config.ts';
import { readLimits } from '../language/run-section.ts';
import type { Spec } from '../language/validate-spec.ts';

/** What the plan needs to know of the computer. */
export interface Machine {
  readonly cores: number;
}

/**
 * Settles how many runs train at once and with how many threads each: `concurrency x threadsPerRun <= cores`.
 *
 * Automatic threads are `cores / min(cores, runs)`, unless a measurement says otherwise when the sweep starts, and never
 * depend on `concurrency`, because they can change the last bits of a result while the concurrency must not. `concurrency` is the command line's, over the spec's.
 */
export const resolveExecution = (
  { run, document }: Spec,
  { cores }: Machine,
  { runs, concurrency: override }: { readonly runs: number; readonly concurrency?: number | undefined },
): Result<Execution> => {
  const threadsPerRun =
    run.threadsPerRun === 'auto' ? Math.max(1, Math.floor(cores / Math.min(cores, runs))) : run.threadsPerRun;
  const wanted = override ?? run.concurrency;
  const allowed = wanted === 'auto' ? Math.max(1, Math.floor(cores / threadsPerRun)) : wanted;
  // With automatic threads, more at once than there are runs asks for nothing more.
  const concurrency = run.threadsPerRun === 'auto' ? Math.min(allowed, runs) : allowed;
  if (concurrency * threadsPerRun <= cores) {
    const automatic = run.threadsPerRun === 'auto' && {
      automatic: true as const,
      ...(wanted === 'auto' && concurrency * threadsPerRun < cores && { cores }),
    };
    return success({ concurrency, threadsPerRun, ...automatic, ...readLimits(run), onError: run.onError });
  }
  const { root } = document;
  const written =
    (override === undefined && find(root, 'run', 'concurrency')) || find(root, 'run', 'threadsPerRun');
  const most = Math.floor(cores / threadsPerRun);
  const automatic = run.threadsPerRun === 'auto' ? ' (auto)' : '';
  return failure({
    code: 'conflict',
    severity: 'error',
    message: `The runs would use more threads than there are cores: ${concurrency} at once, ${threadsPerRun} threads each.`,
    at: (written ?? find(root, 'run') ?? root).at,
    expected: `concurrency x threadsPerRun of at most ${cores}, the cores of this computer`,
    got: `${concurrency} x ${threadsPerRun}${automatic} = ${concurrency * threadsPerRun}`,
    help:
      most >= 1
        ? `Use a concurrency of at most ${most}, or threadsPerRun: ${Math.max(1, Math.floor(cores / concurrency))}.`
        : `Use threadsPerRun: ${cores} or less.`,
  });
};
