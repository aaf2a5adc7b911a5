import type { OutcomeReason } from '../../record/events.ts';
import type { RunStatus } from '../client/wire.ts';
import { lifecycleOf, type TrackedRun } from '../journal/record.ts';

const statusOfReason: Readonly<Record<OutcomeReason, RunStatus>> = {
  completed: 'FINISHED',
  // Ended in order, and by intention; the tag `unroll.outcome` distinguishes the two.
  pruned: 'FINISHED',
  diverged: 'FAILED',
  failed: 'FAILED',
  crashed: 'FAILED',
  'out-of-memory': 'FAILED',
  'timed-out': 'FAILED',
  interrupted: 'KILLED',
  killed: 'KILLED',
  'not-started': 'KILLED',
};

/**
 * The status that the server shows of a run. A run whose process exited without recording an end counts as killed.
 * `endTime` is in milliseconds since 1970.
 */
export const runStatus = (record: TrackedRun): { readonly status: RunStatus; readonly endTime?: number } => {
  const { status, lastTime } = record;
  switch (lifecycleOf(record)) {
    case 'waiting':
      return { status: 'SCHEDULED' };
    case 'running':
      return { status: 'RUNNING' };
    case 'lost':
      return { status: 'KILLED', endTime: lastTime };
    case 'ended':
      return {
        status: statusOfReason[status?.outcome?.reason ?? 'killed'],
        endTime: status?.endedAt ?? lastTime,
      };
  }
};
