import { spawn } from 'node:child_process';
import { basename, dirname, join } from 'node:path';
import PQueue from 'p-queue';
import { success, type Diagnostic, type Result } from '../diagnostic/diagnostic.ts';
import type { Plan, Run } from '../plan/plan.ts';
import type { RunEvent } from '../record/events.ts';
import { frozenPlanPath } from '../record/frozen-plan.ts';
import { fileNames, parseEnvironment } from '../record/run-files.ts';
import { runDirectory } from '../record/run-recorder.ts';
import { runStandings, selectRuns, withBudget, type Selection } from './select.ts';
import { addressText } from '../store/address.ts';
import { openStoreAt, storeAddress, type StoreOptions } from '../store/open-address.ts';
import { createPusher } from '../store/pusher.ts';
import { storeFailure, type Store } from '../store/store.ts';
import { takeRun } from '../store/take-run.ts';
import { readJsonIfWhole } from '../system/files.ts';
import { packageRoot } from '../system/package-root.ts';
import { proposedCommand } from '../system/proposed-command.ts';
import { systemErrorOf } from '../system/system-error.ts';
import { counted } from '../terminal/format.ts';

/** The shared store while a sweep is trained. Nothing of it ever stops the training. */
export interface StoreSession {
  /** Takes the finished runs that would be trained. */
  readonly takeFinished: (plan: Plan, selection: Selection) => Promise<void>;
  /** Takes a run whose lock this process holds; returns whether it is finished now. */
  readonly take: ((run: Run) => Promise<boolean>) | undefined;
  readonly listener: (event: RunEvent, run: Run | undefined) => void;
  /** Ends the sending; what is left is sent by a process of its own. Returns what was taken. */
  readonly finish: (plan: Plan) => Promise<readonly Run[]>;
}

interface Given {
  /** How the command names its store, for a process that sends what is left. */
  readonly options: StoreOptions;
  readonly runsDirectory: string;
  /** Called with each run that was taken. */
  readonly onTaken: (run: Run) => Promise<unknown>;
  readonly note: (level: 'info' | 'warning', message: string) => void;
}

const noStore: StoreSession = {
  takeFinished: () => Promise.resolve(),
  take: undefined,
  listener: () => undefined,
  finish: () => Promise.resolve([]),
};

/** Opens the store of a sweep; undefined for none. Fails only for a wrong address: a sweep can do without its store. */
export const openSessionStore = async (options: StoreOptions): Promise<Result<Store | undefined>> => {
  const address = storeAddress(options);
  if (!address.ok) return address;
  if (!address.value) return success(undefined);
  const opened = await openStoreAt(address.value);
  if (opened.ok) return opened;
  const without = `Training without the store ${addressText(address.value)}.`;
  return success(
    undefined,
    opened.errors.map((error) => ({
      ...error,
      severity: 'warning',
      help: [error.help, without].filter((text) => text !== undefined).join(' '),
    })),
  );
};

/** Runs that are taken at the same time. */
const atOnce = 8;

/** So long a finished command waits for what is being sent. */
const graceMs = 3000;

export const startStoreSession = (
  store: Store | undefined,
  { options, runsDirectory, onTaken, note }: Given,
): StoreSession => {
  if (!store) return noStore;
  const taken: Run[] = [];
  let isLost = false;
  let badRuns = 0;
  const bad = (errors: readonly Diagnostic[]) => {
    const [first] = errors;
    // A damaged store has as many reasons as runs; a few are enough.
    if (first && badRuns++ < 3) note('warning', `${first.message} ${first.help ?? ''}`.trim());
  };
  const lose = (problem: Diagnostic) => {
    if (!isLost) note('warning', `${problem.message} ${problem.help ?? ''} Continuing without the store.`);
    isLost = true;
  };
  const pusher = createPusher(store, bad);
  const add = (run: Run) => {
    if (!store.isReadOnly) pusher.add(runDirectory(runsDirectory, run));
  };

  const takeOne = async (run: Run, lockIsHeld: boolean): Promise<boolean> => {
    if (isLost) return false;
    try {
      const result = await takeRun(store, run, { runsDirectory, lockIsHeld });
      if (result.kind === 'bad') bad(result.errors);
      if (result.kind !== 'taken') return result.kind === 'here';
      taken.push(run);
      await onTaken(run).catch(() => undefined);
      return true;
    } catch (error) {
      lose(problemOf(error));
      return false;
    }
  };

  return {
    takeFinished: async (plan, selection) => {
      if (store.isReadOnly)
        note(
          'warning',
          `The store ${store.address} may only be read by this user. Finished runs are taken from it, and none are sent.`,
        );
      if (selection.force) return;
      try {
        const there = await store.finished(plan.experiment);
        const standings = runStandings(plan, runsDirectory);
        for (const { run, state } of standings) if (state === 'done' && !there.has(run.id)) add(run);
        const { toTrain } = selectRuns(standings, withBudget(selection, plan));
        const queue = new PQueue({ concurrency: atOnce });
        for (const { run } of toTrain) if (there.has(run.id)) void queue.add(() => takeOne(run, false));
        await queue.onIdle();
      } catch (error) {
        lose(problemOf(error));
      }
      if (taken.length > 0) note('info', takenNote(store, taken, runsDirectory));
    },
    take: (run) => takeOne(run, true),
    listener: (event, run) => {
      if (event.type === 'run-ended' && event.outcome.reason === 'completed' && run && !taken.includes(run))
        add(run);
    },
    finish: async (plan) => {
      const { pushed, left, trouble } = await pusher.finish(graceMs);
      if (trouble) {
        note(
          'warning',
          `${trouble.message} ${trouble.help ?? ''} ${counted(left.length, 'run')} of this sweep will be sent next time, or by: ${proposedCommand(['push', plan.sweepId], runsDirectory)}`,
        );
      } else if (!store.isReadOnly) {
        await sendPlan(store, plan, runsDirectory).catch(() => undefined);
        if (left.length > 0) {
          sendLater(left, options, runsDirectory);
          note(
            'info',
            `${counted(left.length, 'run')} will be sent to ${store.address} after this command ends.`,
          );
        } else if (pushed > 0) note('info', `${counted(pushed, 'run')} sent to ${store.address}.`);
      }
      await store.close();
      return taken;
    },
  };
};

/** A disk that is full is a reason to go on without the store, too: training reports it where it matters. */
const problemOf = (error: unknown): Diagnostic => {
  const found = systemErrorOf(error);
  return found
    ? {
        code: 'system-error',
        severity: 'error',
        message: `A run of the store could not be written: ${found.message}.`,
        help: found.advice,
      }
    : storeFailure(error);
};

/** The frozen plan goes with the runs, so that they can be compared where they are pulled. */
export const sendPlan = async (store: Store, plan: Plan, runsDirectory: string): Promise<void> => {
  const path = frozenPlanPath(runsDirectory, plan);
  await store.pushSweep(path);
};

/** Where the numbers of taken runs come from: other processors may have given other last bits. */
const takenNote = (store: Store, taken: readonly Run[], runsDirectory: string): string => {
  const places = taken.map((run) => {
    const path = join(runDirectory(runsDirectory, run), fileNames.environment);
    const environment = readJsonIfWhole(path, parseEnvironment);
    return environment
      ? `${environment.host} (${environment.cpu}, kernel ${environment.kernel})`
      : 'an unknown host';
  });
  return `${counted(taken.length, 'run')} taken from ${store.address}, trained on ${[...new Set(places)].join(' and ')}.`;
};

/** A process of its own sends runs after this one has ended. */
const sendLater = (directories: readonly string[], { store }: StoreOptions, runsDirectory: string): void => {
  const runs = directories.map((directory) => `${basename(dirname(directory))}/${basename(directory)}`);
  const address = typeof store === 'string' ? ['--store', store] : [];
  const words = [
    join(packageRoot, 'bin', 'unroll.js'),
    'push',
    ...runs,
    ...address,
    '--runs-directory',
    runsDirectory,
  ];
  spawn(process.execPath, words, { detached: true, stdio: 'ignore' })
    .on('error', () => undefined)
    .unref();
};
