import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { nameSchema } from '../../language/spec-schema.ts';
import type { Run } from '../../plan/plan.ts';
import { unpackRun } from '../../record/packed-run.ts';
import { readStatus } from '../../record/read-runs.ts';
import { digestOfFile } from '../../record/digests.ts';
import { makeFolder } from '../../system/whole-folder.ts';
import { writeWhole } from '../../system/files.ts';
import type { Job, SentRun } from './protocol.ts';
import type { Transport } from './transport.ts';

const idPattern = /^[0-9a-f]{12}$/;
const jobPattern = /^[a-z0-9-]{1,128}$/;
const experimentPattern = new RegExp(nameSchema.pattern ?? '');

/** Whether the id of a job may become the name of a folder. */
export const isJobKey = (key: string): boolean => jobPattern.test(key);

/** Whether names that become folders are those of a job. */
export const namesFolders = (key: string, { experiment, id, continues }: Run): boolean =>
  isJobKey(key) &&
  experimentPattern.test(experiment) &&
  idPattern.test(id) &&
  (continues === undefined || idPattern.test(continues.run));

/** A file that a job needs is no longer in Redis, or is not what it was. */
export class FilesLost extends Error {}

/**
 * Brings what a job needs besides its data: its own record and that of the run it continues, and the weights that it starts
 * from, whose path is returned. What an earlier start of the same job has left here is kept: its checkpoints are newer.
 */
export const bringFiles = async (
  transportOf: (store: string | undefined) => Pick<Transport, 'receive'> | undefined,
  { run, attempt, record, parent, start }: Job,
  directory: string,
): Promise<string | undefined> => {
  const transportFrom = (store: string | undefined) => {
    const transport = transportOf(store);
    if (!transport) throw new FilesLost('The files of the job are in a store that this worker does not use.');
    return transport;
  };
  const unpack = async ({ manifest, store }: SentRun, into: string) => {
    const transport = transportFrom(store);
    const unpacked = await unpackRun(manifest, {
      directory: into,
      source: 'Redis',
      open: (_, digest) => transport.receive(digest),
    });
    if (!unpacked.ok) throw new FilesLost(unpacked.errors[0]?.message);
  };
  if (readStatus(directory)?.attempt !== attempt) {
    await rm(directory, { recursive: true, force: true });
    if (record) await unpack(record, directory);
  }
  if (parent && run.continues) {
    const into = join(dirname(directory), run.continues.run);
    if (!existsSync(into)) await unpack(parent, into);
  }
  if (!start) return undefined;
  const folder = join(dirname(directory), `start-${start.sha256}`);
  const path = join(folder, 'weights.safetensors');
  await makeFolder(folder, async (beside) => {
    const pieces: Uint8Array[] = [];
    for await (const piece of transportFrom(start.store).receive(start)) pieces.push(piece);
    writeWhole(join(beside, 'weights.safetensors'), pieces);
  });
  if (digestOfFile(path)?.sha256 !== start.sha256) {
    await rm(folder, { recursive: true, force: true });
    throw new FilesLost('The weights that the run starts from are no longer there.');
  }
  return path;
};
