import type { OutcomeReason } from '../../record/events.ts';
import type { RunStatus } from '../client/wire.ts';
import type { RunRecord } from '../journal/record.ts';

const statusOfReason: Readonly<Record<OutcomeReason, RunStatus>> = {
  completed: 'FINISHED',
  // Ended in order, and by intention; the tag `unroll.outcome` tells the two apart.
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
 * What the server shows of a run: a run whose process is gone without a last word was killed, and never shows as
 * running for ever. `endTime` in milliseconds since 1970.
 */
export const runStatus = (record: RunRecord): { readonly status: RunStatus; readonly endTime?: number } => {
  const { state, status, lastTime } = record;
  switch (state) {
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

/** Whether nothing will be added to the record unless a person runs it again. */
export const isOver = ({ state }: RunRecord): boolean => state === 'ended' || state === 'lost';
