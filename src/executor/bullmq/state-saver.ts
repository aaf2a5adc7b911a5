import { linkSync, lstatSync, readdirSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { packRun } from '../../record/packed-run.ts';
import { RecordUnreadable } from '../../record/record-unreadable.ts';
import { fileNames } from '../../record/run-files.ts';
import type { States } from '../../store/states.ts';
import { copyRegular, ensureFolder } from '../../system/files.ts';
import { ignoringSystemErrors } from '../../system/system-error.ts';

/** Keeps the newest checkpoint of a run in a store while the run is trained. */
export interface StateSaver {
  /** A checkpoint was written. It is sent at once, or when the one before was sent long enough ago. */
  readonly save: () => void;
  /** Sends the newest checkpoint, if it was not sent. */
  readonly finish: () => Promise<void>;
  /** Sends nothing more; resolves when nothing is being sent. */
  readonly stop: () => Promise<void>;
}

interface Saved {
  readonly states: States;
  readonly job: string;
  /** Of the run. */
  readonly directory: string;
  readonly everyMs: number;
  /** Called with why a checkpoint could not be sent. The next one is tried again. */
  readonly onTrouble: (error: unknown) => void;
}

/** After a checkpoint, no other one is sent for this many times as long as it took. */
const restFactor = 10;

export const createStateSaver = ({ states, job, directory, everyMs, onTrouble }: Saved): StateSaver => {
  let sending: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;
  let isNew = false;
  let isStopped = false;
  let restUntil = 0;

  const send = async (): Promise<void> => {
    const begun = performance.now();
    const beside = join(dirname(dirname(directory)), 'sending');
    const folder = join(beside, basename(directory));
    try {
      await snapshot(directory, folder);
      const packed = await packRun(folder, { checkpoints: true });
      if (packed.ok) await states.save(job, packed.value);
      else onTrouble(packed.errors.map((error) => new RecordUnreadable(error))[0]);
    } catch (error) {
      onTrouble(error);
    } finally {
      ignoringSystemErrors(() => rmSync(beside, { recursive: true, force: true }));
    }
    const now = performance.now();
    restUntil = now + Math.max(everyMs, restFactor * (now - begun));
  };
  const begin = (): Promise<void> => {
    isNew = false;
    sending = send().finally(() => {
      sending = undefined;
      if (isNew) soon();
    });
    return sending;
  };
  const soon = (): void => {
    if (isStopped || sending || timer) return;
    const rest = restUntil - performance.now();
    timer = setTimeout(
      () => {
        timer = undefined;
        void begin();
      },
      Math.max(0, rest),
    );
  };
  const halt = (): void => {
    isStopped = true;
    clearTimeout(timer);
    timer = undefined;
  };
  return {
    save: () => {
      isNew = true;
      soon();
    },
    finish: async () => {
      halt();
      await sending;
      if (isNew) await begin();
    },
    stop: async () => {
      halt();
      await sending;
    },
  };
};

/**
 * The files of a run as they are now, in a folder beside. Checkpoints come first: what they count on is recorded before
 * them, and the files that only grow may have more.
 */
const snapshot = async (directory: string, folder: string): Promise<void> => {
  rmSync(folder, { recursive: true, force: true });
  const names = readdirSync(directory, { encoding: 'utf8', recursive: true });
  for (const name of names.sort((one, other) => rankOf(one) - rankOf(other))) {
    const path = join(directory, name);
    if (!lstatSync(path, { throwIfNoEntry: false })?.isFile()) continue;
    ensureFolder(dirname(join(folder, name)));
    try {
      linkSync(path, join(folder, name));
    } catch (error) {
      // Replaced meanwhile, or removed.
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') continue;
      await copyRegular(path, join(folder, name));
    }
  }
};

/** `last` relies on `best`, of which a later one does as well. */
const rankOf = (name: string): number =>
  name === join(fileNames.checkpoints, 'last.safetensors')
    ? 0
    : name.startsWith(fileNames.checkpoints)
      ? 1
      : 2;
