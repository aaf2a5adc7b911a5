import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { writeNew } from '../../system/files.ts';
import { failure, success, type Result } from '../../diagnostic/diagnostic.ts';
import { slurmSilent } from './check.ts';
import { queueOf, slurm } from './commands.ts';
import { inBatch, listBatches, readBatch } from './folder.ts';

/** How long a job may take to write checkpoints before it is killed. */
const graceMs = 60_000;

const lookAgainMs = 500;

const mark = (folders: readonly string[], name: string): void => {
  for (const folder of folders)
    if (existsSync(folder)) writeNew(join(folder, name), `${new Date().toISOString()}\n`);
};

/** Stops the jobs of some batches from beginning further runs: waiting jobs leave the queue, and running ones finish. */
export const askForNoMore = async (folders: readonly string[]): Promise<void> => {
  const names = namesOf(folders);
  if (names.length === 0) return;
  mark(folders, inBatch.noMore);
  await slurm('scancel', ['--state=PENDING', `--name=${names.join(',')}`]);
};

/** Ends the jobs of some batches in order: waiting jobs leave the queue, and running ones write a checkpoint. */
export const askToEnd = async (folders: readonly string[]): Promise<void> => {
  const names = namesOf(folders);
  if (names.length === 0) return;
  mark(folders, inBatch.cancelled);
  await slurm('scancel', ['--state=PENDING', `--name=${names.join(',')}`]);
  await slurm('scancel', ['--batch', '--signal=TERM', `--name=${names.join(',')}`]);
};

/** Cancels every job of the batches in a folder, and waits until they have ended. Returns how many waited or trained. */
export const cancelBatches = async (directory: string): Promise<Result<{ readonly tasks: number }>> => {
  const folders = listBatches(directory);
  const names = namesOf(folders);
  const liveTasks = async () => (await queueOf(names))?.filter(({ phase }) => phase !== 'ended').length;
  const tasks = await liveTasks();
  if (tasks === undefined) return failure(slurmSilent);
  await askToEnd(folders);
  const until = performance.now() + graceMs;
  for (let left: number | undefined = tasks; left !== 0; left = await liveTasks()) {
    if (performance.now() > until) {
      await slurm('scancel', [`--name=${names.join(',')}`]);
      break;
    }
    await delay(lookAgainMs);
  }
  return success({ tasks });
};

const namesOf = (folders: readonly string[]): readonly string[] =>
  folders.flatMap((folder) => readBatch(folder)?.name ?? []);
