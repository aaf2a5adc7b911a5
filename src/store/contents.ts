import { hash } from 'node:crypto';
import { systemProblem } from '../diagnostic/system-problem.ts';
import { parseJson } from '../system/json.ts';
import { interruptionOf } from '../system/system-error.ts';
import { Readable } from 'node:stream';
import { failure, success, type Result } from '../diagnostic/diagnostic.ts';
import type { Run } from '../plan/plan.ts';
import { readManifest, readPacked, type PackedFile, type PackManifest } from '../record/packed-run.ts';
import { RecordUnreadable } from '../record/record-unreadable.ts';
import type { Backend, Content } from './backend.ts';

export type RunKey = Pick<Run, 'experiment' | 'id'>;

/** A manifest of a run with as many files as it may have is smaller. */
const mostManifestBytes = 4 * 2 ** 20;

export const contentOf = (text: string): Content => {
  const bytes = Buffer.from(text);
  return {
    bytes: bytes.length,
    sha256: hash('sha256', bytes, 'hex'),
    open: () => Readable.from([bytes]),
  };
};

/** The content of a file as it was packed. Reading it throws `RecordUnreadable` if the file has changed since. */
export const contentOfFile = (file: PackedFile): Content => {
  const { bytes, sha256 } = file;
  return { bytes, sha256, open: () => readPacked(file) };
};

/** A small content as text; undefined if there is none. Longer ones are cut off, and cannot be parsed then. */
export const readText = async (
  backend: Backend,
  name: string,
  mostBytes: number,
): Promise<string | undefined> => {
  const content = await backend.read(name);
  if (!content) return undefined;
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of content) {
    parts.push(part);
    bytes += part.byteLength;
    if (bytes > mostBytes) break;
  }
  return Buffer.concat(parts).toString('utf8');
};

/** The manifest of a run; undefined if there is none. */
export const readManifestAt = async (
  backend: Backend,
  name: string,
): Promise<Result<PackManifest | undefined>> => {
  const text = await readText(backend, name, mostManifestBytes);
  return text === undefined
    ? success(undefined)
    : readManifest(parseJson(text), { source: sourceOf(backend) });
};

/** A store as the subject of a sentence. */
export const sourceOf = ({ address }: Backend): string => `The store ${address}`;

/** A file that changes while it is sent, or may not be read, is the failure of one run; a store that cannot be used is one of all. */
export const asResult = async <T>(acting: Promise<Result<T>>): Promise<Result<T>> => {
  try {
    return await acting;
  } catch (error) {
    if (error instanceof RecordUnreadable) return failure(error.diagnostic);
    const problem = interruptionOf(error)?.scope === 'path' ? systemProblem(error) : undefined;
    if (problem) return failure({ ...problem, code: 'damaged-record' });
    throw error;
  }
};

export const missingFile = (source: string, name: string, { experiment, id }: RunKey): never => {
  throw new RecordUnreadable({
    code: 'damaged-transfer',
    severity: 'error',
    message: `${source} lacks ${name} of the run ${experiment}/${id}.`,
    help: 'Nothing of it was used. Push the run again with --force from where it was trained.',
  });
};
