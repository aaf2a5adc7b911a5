import { createHash } from 'node:crypto';
import { existsSync, utimesSync } from 'node:fs';
import { readdir, rm, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { Type } from '@sinclair/typebox';
import { findDataEntries, withDataEntries } from '../../plan/data-entries.ts';
import type { Plan, Run } from '../../plan/plan.ts';
import type { FileDigest } from '../../record/digests.ts';
import { digestSchema, writeChecked } from '../../record/packed-run.ts';
import { contentOf, contentOfFile } from '../../store/contents.ts';
import type { Parcels } from '../../store/parcels.ts';
import { digestOf } from '../../system/file-digest.ts';
import { jsonFileText } from '../../system/files.ts';
import { fromText } from './protocol.ts';
import { parserOf } from '../../system/schema.ts';
import { makeFolder } from '../../system/whole-folder.ts';
import { keptSeconds } from './file-transfer.ts';
import { isDataName } from './portable-run.ts';

/** Room for a list of a million small files. */
const mostListBytes = 256 * 2 ** 20;

const listParser = parserOf(
  Type.Object({
    values: Type.Record(Type.String(), Type.String()),
    vectors: Type.Optional(
      Type.Object({ file: Type.String(), tokens: Type.Union([Type.String(), Type.Null()]) }),
    ),
    files: Type.Record(Type.String(), digestSchema),
  }),
);

/** Puts the data of runs into a store, once for each dataset, and returns the digest of the list of its files. */
export type ShareData = (run: Run) => Promise<FileDigest>;

export const dataSharer = (parcels: Parcels, { spec }: Pick<Plan, 'spec'>): ShareData => {
  const baseDirectory = dirname(resolve(spec.path));
  const known = new Map<string, Promise<FileDigest>>();
  const share = async (run: Run): Promise<FileDigest> => {
    const { files: found, ...names } = await findDataEntries(run, baseDirectory);
    const files: Record<string, FileDigest> = {};
    for (const [name, path] of found) {
      const digest = await digestOf(path);
      await parcels.send(contentOfFile({ name, path, ...digest }), { stays: true });
      files[name] = digest;
    }
    // Last: a list is there only if its files are.
    const list = contentOf(jsonFileText({ ...names, files }));
    await parcels.send(list, { stays: true });
    return { bytes: list.bytes, sha256: list.sha256 };
  };
  return (run) => {
    const { config, datasetDigest, vectors } = run;
    const key = JSON.stringify([config.dataset, datasetDigest, config.model['embedding'], vectors]);
    const shared = known.get(key) ?? share(run);
    known.set(key, shared);
    return shared;
  };
};

/** The store does not have the data, or has other data. */
export class DataNotShared extends Error {}

/** Data of submitters on this worker, in folders of their own below the folder where runs train. */
export interface SharedData {
  /** Brings the data of a run from the store, unless it is here, and returns the run with its names in that folder. */
  readonly bring: (
    run: Run,
    list: FileDigest,
  ) => Promise<{ readonly run: Run; readonly baseDirectory: string }>;
  /** Removes what no run has used for a week. */
  readonly dropOld: () => Promise<void>;
}

export const sharedDataIn = (workDirectory: string, parcels: Parcels): SharedData => {
  const folder = join(workDirectory, 'data');
  const coming = new Map<string, Promise<void>>();
  const read = async (list: FileDigest) => {
    if (list.bytes > mostListBytes) throw new DataNotShared('the list of its files is too long');
    const hash = createHash('sha256');
    const parts: Uint8Array[] = [];
    for await (const part of parcels.open(list)) {
      hash.update(part);
      parts.push(part);
    }
    const found = hash.digest('hex') === list.sha256;
    const parsed = found ? listParser(fromText(Buffer.concat(parts).toString('utf8'))) : undefined;
    if (!parsed) throw new DataNotShared('the list of its files is not there');
    const { values, vectors, files } = parsed;
    const names = [...Object.keys(files), ...Object.values(values), ...Object.values(vectors ?? {})];
    const strange = names.find((name) => name !== null && !isDataName(name));
    if (strange !== undefined)
      throw new DataNotShared(
        `the list of its files has a name that leads elsewhere, ${JSON.stringify(strange)}`,
      );
    return parsed;
  };
  return {
    bring: async (run, list) => {
      const { files, ...names } = await read(list);
      const baseDirectory = join(folder, list.sha256);
      const fill = () =>
        makeFolder(baseDirectory, async (beside) => {
          for (const [name, digest] of Object.entries(files)) {
            if (!(await writeChecked(join(beside, name), digest, parcels.open(digest))))
              throw new DataNotShared(`the store lacks ${name}, or has other bytes`);
          }
        });
      const begun = coming.get(baseDirectory) ?? fill().finally(() => coming.delete(baseDirectory));
      coming.set(baseDirectory, begun);
      await begun;
      const now = new Date();
      utimesSync(baseDirectory, now, now);
      return { run: withDataEntries(run, names), baseDirectory };
    },
    dropOld: async () => {
      const oldest = Date.now() - keptSeconds * 1000;
      for (const name of existsSync(folder) ? await readdir(folder) : []) {
        const { mtimeMs } = await stat(join(folder, name));
        if (mtimeMs < oldest) await rm(join(folder, name), { recursive: true, force: true });
      }
    },
  };
};
