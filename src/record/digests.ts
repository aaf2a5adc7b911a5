import { createHash } from 'node:crypto';
import { closeSync, fstatSync } from 'node:fs';
import { join } from 'node:path';
import { jsonFileText, openThere, readFully } from '../system/files.ts';
import { deepestJson, isDeeperThan } from '../system/json.ts';
import { onFile } from '../system/system-error.ts';
import { fileNames, modelFileNames, type StatusFile } from './run-files.ts';

/** A file as it was when its run ended. */
export interface FileDigest {
  readonly bytes: number;
  /** Hexadecimal. */
  readonly sha256: string;
}

/** The files of a run that never change once it has ended. Checkpoints contain their own digests. */
export const sealedFiles: readonly string[] = [
  fileNames.run,
  fileNames.environment,
  fileNames.data,
  fileNames.metrics,
  fileNames.evaluation,
  fileNames.predictions,
  ...Object.values(modelFileNames).map((name) => `${fileNames.model}/${name}`),
];

const chunkBytes = 1 << 20;

/** The digest of a file; undefined if there is none. Throws if it is there and cannot be read. */
export const digestOfFile = (path: string): FileDigest | undefined => {
  const file = openThere(path);
  if (file === undefined) return undefined;
  try {
    const hash = createHash('sha256');
    const chunk = Buffer.allocUnsafe(Math.min(chunkBytes, fstatSync(file).size + 1));
    let bytes = 0;
    for (let got = -1; got !== 0; bytes += got) {
      got = onFile(path, () => readFully(file, chunk, bytes));
      hash.update(chunk.subarray(0, got));
    }
    return { bytes, sha256: hash.digest('hex') };
  } finally {
    closeSync(file);
  }
};

/** System errors of a name that is too long, or of a folder in the place of a file. */
const impossibleNames: readonly (string | undefined)[] = ['ENAMETOOLONG', 'ENOTDIR', 'EEXIST', 'EISDIR'];

/** Whether a system error is one of a name that no file can have there. */
export const isOfImpossibleName = (error: unknown): boolean =>
  impossibleNames.includes((error as NodeJS.ErrnoException).code);

/** As `digestOfFile`, of a file that somebody else has named; undefined too where no file can have the name. */
export const digestOfNamed = (path: string): FileDigest | undefined => {
  try {
    return digestOfFile(path);
  } catch (error) {
    if (isOfImpossibleName(error)) return undefined;
    throw error;
  }
};

const digestsOf = (directory: string): Readonly<Record<string, FileDigest>> =>
  Object.fromEntries(
    sealedFiles.flatMap((name) => {
      const digest = digestOfFile(join(directory, name));
      return digest ? [[name, digest]] : [];
    }),
  );

/** The status of an ended run with the digests of the run's files, and with a digest of itself. */
export const sealedStatus = (directory: string, status: StatusFile): StatusFile =>
  sealed({ ...status, files: digestsOf(directory) });

/** A JSON object with a digest of itself. */
export const sealed = <T extends object>(content: T): T & { readonly sha256: string } => ({
  ...content,
  sha256: sealOf(content),
});

/** What was sealed, without its digest. */
export const unsealed = <T extends Readonly<Record<string, unknown>>>(content: T): Omit<T, 'sha256'> => {
  const copy: Record<string, unknown> & T = { ...content };
  delete copy['sha256'];
  return copy;
};

/**
 * Whether an object, as parsed from its file, is as it was written; undefined if it has no digest, as in files of 0.1.0
 * and in the status of a run that has not ended.
 */
export const isSealIntact = ({
  sha256,
  ...content
}: Readonly<Record<string, unknown>>): boolean | undefined => {
  if (typeof sha256 !== 'string') return undefined;
  // The text of deeply nested values takes the square of their depth in memory.
  return !isDeeperThan(content, deepestJson) && sealOf(content) === sha256;
};

const sealOf = (content: object): string => createHash('sha256').update(jsonFileText(content)).digest('hex');
