import { dirname, join } from 'node:path';
import { Type } from '@sinclair/typebox';
import { storeFailure } from '../../store/store.ts';
import type { States } from '../../store/states.ts';
import { ensureFolder, readJsonIfWhole, writeJson } from '../../system/files.ts';
import { parserOf } from '../../system/schema.ts';
import { systemErrorOf } from '../../system/system-error.ts';
import { checkpointOfEnd } from '../../training/checkpoint.ts';
import { isJobKey } from './bring-files.ts';
import { keptSeconds } from './file-transfer.ts';
import type { SharedStore } from './fitness.ts';
import type { Job } from './protocol.ts';
import { createStateSaver, type StateSaver } from './state-saver.ts';
import { checkIntervalMs } from './timing.ts';

interface Place {
  /** The id of the job. */
  readonly key: string;
  /** The directory of its run here. */
  readonly directory: string;
}

interface Beginning extends Place {
  /** How often workers have begun the job, this time included. */
  readonly start: number;
}

/** The checkpoints of the runs of a worker in the store that it shares with a submitter. */
export interface KeptStates {
  /** Brings the checkpoint of a run that was begun elsewhere, or before, unless the one that is here is as new. */
  readonly bring: (job: Job, beginning: Beginning) => Promise<void>;
  /** What sends checkpoints of a run; undefined where its submitter uses another store, or none. */
  readonly saverOf: (job: Job, place: Place) => StateSaver | undefined;
  /** The store, if the submitter of a job uses it, too. */
  readonly sharedWith: (job: Job | undefined) => SharedStore | undefined;
  readonly onTrouble: (error: unknown) => void;
  /** Forgets the checkpoint of a run that has ended. */
  readonly drop: (job: Job | undefined, key: string) => void;
}

export const keepStates = (store: SharedStore | undefined, print: (line: string) => void): KeptStates => {
  let lastTrouble = '';
  /** Without its store, losing the worker costs more, but runs still train. */
  const onTrouble = (error: unknown): undefined => {
    const { message, help } = problemOf(error);
    if (message !== lastTrouble) print(`${message} ${help} Training without the store.`);
    lastTrouble = message;
  };
  const sharedWith = (job: Job | undefined): SharedStore | undefined =>
    job?.store !== undefined && job.store === store?.id ? store : undefined;
  const statesOf = (job: Job | undefined): States | undefined => sharedWith(job)?.states;
  const oldest = Date.now() - keptSeconds * 1000;
  void store?.states.dropOlder(oldest).catch(onTrouble);
  void store?.parcels.dropOlder(oldest).catch(onTrouble);
  return {
    sharedWith,
    onTrouble,
    bring: async (job, { key, directory, start }) => {
      const states = statesOf(job);
      if (!states) return;
      const wasHere = noteStart(directory, start) === start - 1;
      if (wasHere && checkpointOfEnd(directory) !== undefined) return;
      // Also at the first start: a Redis that lost everything counts anew.
      const brought = await states.bring(key, directory).catch(onTrouble);
      if (brought?.ok === false) print(brought.errors[0]?.message ?? '');
    },
    saverOf: (job, { key, directory }) => {
      const states = statesOf(job);
      return states && createStateSaver({ states, job: key, directory, everyMs: checkIntervalMs, onTrouble });
    },
    drop: (job, key) => {
      if (isJobKey(key)) void statesOf(job)?.drop(key).catch(onTrouble);
    },
  };
};

/** Notes beside the run which start of its job trained here last, and returns the one before. */
const noteStart = (directory: string, start: number): number | undefined => {
  const path = join(dirname(directory), 'start.json');
  const before = readJsonIfWhole(path, parseStart)?.start;
  ensureFolder(dirname(path));
  writeJson(path, { start }, 'later');
  return before;
};

const parseStart = parserOf(Type.Object({ start: Type.Number() }));

const problemOf = (error: unknown): { readonly message: string; readonly help: string } => {
  const trouble = systemErrorOf(error);
  if (trouble)
    return {
      message: `A file could not be sent to the store: ${trouble.message}.`,
      help: trouble.advice,
    };
  const { message, help = '' } = storeFailure(error);
  return { message, help };
};
