import type { TrainRequest } from '../../training/protocol.ts';
import type { RunTask } from '../executor.ts';
import type { End } from './job-ends.ts';
import type { Progress } from './protocol.ts';
import { startedAgain } from './reports.ts';

/** A run whose end a command waits for. */
export interface Pending {
  readonly request: TrainRequest;
  readonly task: RunTask;
  readonly end: (end: End) => void;
  readonly since: number;
  /** Whether its job is known to be in the queue, or to have been: one that failed before is removed and queued anew. */
  isQueued: boolean;
  /** How often workers have begun it, as far as is known. */
  starts: number;
  /** Whether Redis had lost it. */
  readonly isAgain: boolean;
}

/** A run whose job has ended. */
export interface Ended extends Pick<Pending, 'request'> {
  readonly key: string;
  readonly isLast: boolean;
}

type Note = (level: 'info' | 'warning', message: string) => void;

/** Passes on what a worker reports of a run. */
export const passOn = (
  one: Pending,
  progress: Progress | undefined,
  { note, store }: { readonly note: Note; readonly store: string | undefined },
): void => {
  if (!progress) return;
  if (progress.start > one.starts) {
    one.starts = progress.start;
    one.task.onStart(progress.pid, progress.host);
  }
  for (const event of progress.events) {
    if (event.type === 'training-started' && (progress.start > 1 || one.isAgain))
      note('info', startedAgain(one.request.run.id, { ...progress, ...event, store }));
    one.task.onEvent(event, progress.residentBytes);
  }
};
