import { closeSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { openThere, readRegularText } from '../../system/files.ts';
import { linesFrom, lineText } from '../../system/jsonl.ts';
import type { TrainRequest } from '../../training/protocol.ts';
import type { RunTask, TrainResult } from '../executor.ts';
import { inBatch, parseNote, type Batch } from './folder.ts';
import type { QueuedTask } from './queue.ts';

/** A run that the scheduler is waiting for. */
export interface Wanted {
  readonly request: TrainRequest;
  readonly task: RunTask;
  readonly resolve: (result: TrainResult) => void;
}

/** A task of a job array whose runs the scheduler is waiting for. */
export interface Followed {
  readonly folder: string;
  readonly batch: Batch;
  readonly number: number;
  readonly runs: Map<string, Wanted>;
  /** Bytes of its events that are read. */
  offset: number;
  misses: number;
  /** Submissions since a run last made progress or ended. */
  resubmissions: number;
  hasStarted: boolean;
  /** The last step of each run that has begun. */
  readonly furthest: Map<string, number>;
}

/** Passes on the new reports of a task's runs. */
export const readNotes = (one: Followed): void => {
  const file = openThere(join(one.folder, inBatch.events(one.number)));
  if (file === undefined) return;
  try {
    for (const line of linesFrom(file, one.offset)) {
      one.offset = line.end;
      const note = parseNote(lineText(line));
      const task = note && one.runs.get(note.run)?.task;
      if (!note || !task) continue;
      if ('begun' in note) {
        if (!one.furthest.has(note.run)) one.furthest.set(note.run, 0);
        task.onStart(note.begun, note.host);
      } else if ('waitsFor' in note) task.onWait(note.waitsFor);
      else {
        const { event, residentBytes } = note;
        if (event.type === 'step-logged' && event.step > (one.furthest.get(note.run) ?? 0)) {
          one.furthest.set(note.run, event.step);
          one.resubmissions = 0;
        }
        task.onEvent(event, residentBytes);
      }
    }
  } finally {
    closeSync(file);
  }
};

/** Why a task failed before it began, from its log. Without a log, its node cannot see the folder. */
export const startFault = (folder: string, task: number, { reason }: QueuedTask): string => {
  const log = join(folder, inBatch.log(task));
  const words = existsSync(log) ? readRegularText(log).trim().split('\n').slice(-3).join(' ') : '';
  return words !== ''
    ? `It printed: ${words}`
    : `The node does not see ${folder}${reason && ` (Slurm: ${reason})`}. The runs directory and Unroll must be on a file system that this machine and the nodes share.`;
};
