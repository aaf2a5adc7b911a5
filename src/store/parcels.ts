import type { FileDigest } from '../record/digests.ts';
import type { Backend, Content } from './backend.ts';

/** Contents on their way between workers and who submits: large files of runs, and data. Each has its digest as its name. */
export interface Parcels {
  /** `stays`: it is data, or belongs to a finished run, which will be pushed to the same store. */
  readonly send: (content: Content, how: { readonly stays: boolean }) => Promise<void>;
  /** The content of a file; none if the store does not have it. */
  readonly open: (digest: FileDigest) => AsyncIterable<Uint8Array>;
  readonly isThere: (digest: FileDigest) => Promise<boolean>;
  /** Removes what was sent before a time and does not stay. */
  readonly dropOlder: (time: number) => Promise<void>;
}

/** Where contents of finished runs are, by digest. */
export const contentName = (sha256: string): string => `files/${sha256.slice(0, 2)}/${sha256}`;

const passingFolder = 'parcels';
const passingName = (sha256: string): string => `${passingFolder}/${sha256.slice(0, 2)}/${sha256}`;

export const parcelsOn = (backend: Backend): Parcels => {
  const find = async ({ bytes, sha256 }: FileDigest): Promise<string | undefined> => {
    for (const name of [passingName(sha256), contentName(sha256)])
      if ((await backend.size(name)) === bytes) return name;
    return undefined;
  };
  return {
    send: async (content, { stays }) => {
      const { bytes, sha256 } = content;
      const name = (stays ? contentName : passingName)(sha256);
      // One that passes is written again: it shall not be removed for its age while it is on its way.
      if (stays && (await backend.size(name)) === bytes) return;
      await backend.write(name, content, 'over');
    },
    open: async function* (digest) {
      const name = await find(digest);
      const content = name === undefined ? undefined : await backend.read(name);
      if (content) yield* content;
    },
    isThere: async (digest) => (await find(digest)) !== undefined,
    dropOlder: async (time) => {
      for await (const name of backend.olderThan(passingFolder, time)) await backend.remove(name);
    },
  };
};
