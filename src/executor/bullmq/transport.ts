import type { Redis } from 'ioredis';
import type { FileDigest } from '../../record/digests.ts';
import type { PackedFile } from '../../record/packed-run.ts';
import { StoreError } from '../../store/backend.ts';
import { contentOfFile } from '../../store/contents.ts';
import { digestOf } from '../../system/file-digest.ts';
import type { SharedStore } from './fitness.ts';
import {
  areThere,
  openFiles,
  receive,
  release,
  sendPacked,
  type OpenFile,
  type Shelf,
} from './file-transfer.ts';

/**
 * How the files of runs travel. Redis holds them in memory, so where the submitter and the worker use the same store,
 * large files pass through it.
 */
export interface Transport {
  /** Returns where the large files are: in a store, or in Redis like the others. */
  readonly send: (
    files: readonly PackedFile[],
    how?: { readonly areFinal: boolean },
  ) => Promise<{ readonly store?: string }>;
  /** The content of a file; it ends early where it is no longer there, which its digest shows. */
  readonly receive: (digest: FileDigest) => AsyncIterable<Uint8Array>;
  readonly areThere: (files: readonly FileDigest[]) => Promise<boolean>;
  /** Opens files together; undefined if some are no longer there. */
  readonly openAll: (files: readonly FileDigest[]) => Promise<OpenFile | undefined>;
  /** Lets recorded files expire soon. */
  readonly release: (files: readonly FileDigest[]) => Promise<void>;
}

/** Larger files go through the store. */
const largestInRedis = 256 * 1024;

const isSmall = ({ bytes }: FileDigest): boolean => bytes <= largestInRedis;

const isLarge = (file: FileDigest): boolean => !isSmall(file);

const throughRedis = (shelf: Shelf): Transport => ({
  send: async (files) => {
    await sendPacked(shelf, files);
    return {};
  },
  receive: (digest) => receive(shelf, digest),
  areThere: (files) => areThere(shelf, files),
  openAll: (files) => openFiles(shelf, files),
  release: (files) => release(shelf, files),
});

interface Through extends Pick<Shelf, 'job'> {
  readonly store: Pick<SharedStore, 'id' | 'parcels'> | undefined;
  /** Called when the store cannot be used; what is sent passes through Redis then. */
  readonly onTrouble: (error: StoreError) => void;
}

export const transportThrough = (client: Redis, { store, onTrouble, job }: Through): Transport => {
  const redis = throughRedis({ client, job });
  if (!store) return redis;
  const { id, parcels } = store;
  const areLargeThere = async (files: readonly FileDigest[]): Promise<boolean> => {
    for (const file of files.filter(isLarge)) if (!(await parcels.isThere(file))) return false;
    return true;
  };
  return {
    send: async (files, { areFinal } = { areFinal: false }) => {
      try {
        for (const file of files.filter(isLarge))
          await parcels.send(contentOfFile(file), {
            stays: areFinal && !file.name.startsWith('checkpoints/'),
          });
      } catch (error) {
        if (!(error instanceof StoreError)) throw error;
        onTrouble(error);
        return await redis.send(files);
      }
      await redis.send(files.filter(isSmall));
      return { store: id };
    },
    receive: (digest) => (isSmall(digest) ? redis.receive(digest) : parcels.open(digest)),
    areThere: async (files) => (await areLargeThere(files)) && (await redis.areThere(files.filter(isSmall))),
    openAll: async (files) => {
      const open = (await areLargeThere(files)) ? await redis.openAll(files.filter(isSmall)) : undefined;
      return open && ((digest) => (isSmall(digest) ? open(digest) : parcels.open(digest)));
    },
    release: (files) => redis.release(files.filter(isSmall)),
  };
};

/**
 * How files travel that a message places in a store, or in Redis without one; undefined where this process uses another
 * store.
 */
export const transportOf = (
  client: Redis,
  place: string | undefined,
  through: Through,
): Transport | undefined => {
  if (place === undefined) return throughRedis({ client, job: through.job });
  return place === through.store?.id ? transportThrough(client, through) : undefined;
};

/** Sends one file and returns its digest. */
export const sendFile = async (
  transport: Transport,
  path: string,
): Promise<FileDigest & { readonly store?: string }> => {
  const digest = await digestOf(path);
  return { ...digest, ...(await transport.send([{ name: '', path, ...digest }])) };
};
