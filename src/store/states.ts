import type { Result } from '../diagnostic/diagnostic.ts';
import { unpackRun, type PackedRun, type PackManifest } from '../record/packed-run.ts';
import { jsonFileText } from '../system/files.ts';
import type { Backend } from './backend.ts';
import { asResult, contentOf, contentOfFile, missingFile, readManifestAt, sourceOf } from './contents.ts';

/**
 * The newest checkpoint of each run that workers train, so that another worker can resume it. It is removed when the run
 * has ended; what is left by those that were given up is removed later.
 */
export interface States {
  /** Replaces the state of a job: the new contents first, then its manifest, and the contents that it no longer names. */
  readonly save: (job: string, packed: PackedRun) => Promise<void>;
  /** Brings the state of a job into the directory of its run; undefined if there is none. */
  readonly bring: (job: string, directory: string) => Promise<Result<PackManifest | undefined>>;
  readonly drop: (job: string) => Promise<void>;
  /** Removes the states that were not renewed since a time. */
  readonly dropOlder: (time: number) => Promise<void>;
}

const folderOf = (job: string): string => `states/${job}`;
const manifestName = (job: string): string => `${folderOf(job)}/state.json`;
const fileName = (job: string, sha256: string): string => `${folderOf(job)}/${sha256}`;

export const statesOn = (backend: Backend): States => {
  const source = sourceOf(backend);
  const namesOf = async (job: string): Promise<readonly string[]> => {
    const names: string[] = [];
    for await (const name of backend.list(folderOf(job))) names.push(name);
    return names;
  };
  const bring: States['bring'] = async (job, directory) => {
    const manifest = await readManifestAt(backend, manifestName(job));
    if (!manifest.ok || !manifest.value) return manifest;
    const { experiment, run: id } = manifest.value;
    return await unpackRun(manifest.value, {
      directory,
      source,
      open: async (name, { sha256 }) =>
        (await backend.read(fileName(job, sha256))) ?? missingFile(source, name, { experiment, id }),
    });
  };
  const drop = async (job: string): Promise<void> => {
    await backend.remove(manifestName(job));
    for (const name of await namesOf(job)) await backend.remove(name);
  };
  return {
    save: async (job, { manifest, files }) => {
      const before = await namesOf(job);
      const kept = new Set([manifestName(job)]);
      for (const file of files) {
        const { bytes, sha256 } = file;
        const name = fileName(job, sha256);
        if (!kept.has(name) && !(before.includes(name) && (await backend.size(name)) === bytes))
          await backend.write(name, contentOfFile(file), 'over');
        kept.add(name);
      }
      await backend.write(manifestName(job), contentOf(jsonFileText(manifest)), 'over');
      for (const name of before) if (!kept.has(name)) await backend.remove(name);
    },
    bring: (job, directory) => asResult(bring(job, directory)),
    drop,
    dropOlder: async (time) => {
      const old = new Map<string, Set<string>>();
      for await (const name of backend.olderThan('states', time)) {
        const [, job] = /^states\/([^/]+)\//.exec(name) ?? [];
        if (job !== undefined) old.set(job, (old.get(job) ?? new Set()).add(name));
      }
      for (const [job, names] of old) {
        const name = manifestName(job);
        // Contents that do not change are older than the manifest that names them.
        if (names.has(name) || (await backend.size(name)) === undefined) await drop(job);
      }
    },
  };
};
