import { createHash } from 'node:crypto';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { writeWhole, readRegularText, appendRegular, ensureFolder } from '../../system/files.ts';
import { maskedEntry } from '../../system/secrets.ts';
import type { ServerRun } from '../client/runs.ts';
import { fileNames } from '../../record/run-files.ts';
import { fileStart, type Position } from '../journal/metric-file.ts';

/** How much of one journal file a server has. */
export interface FileProgress {
  /** Everything before it was acknowledged. */
  readonly done: Position;
  /** What was about to be sent after `done` when this was written: it may have arrived or not. */
  readonly pending: Position | null;
  /** The server may have points that this cursor knows nothing of: every point is compared until the end is reached. */
  readonly unsure: boolean;
}

/**
 * What one server has of one run (or of a sweep's own run): `<directory>/mlflow/<server>.json`. Losing it costs only a
 * replay; it never holds credentials.
 */
export interface Cursor {
  readonly version: 1;
  readonly uri: string;
  readonly experimentId: string;
  readonly runId: string;
  readonly artifactUri: string;
  readonly files: Readonly<Record<string, FileProgress>>;
  /** Part (`params`, `tags`, `artifact:plots/loss.svg`, ...) -> digest of what was sent last. */
  readonly sent: Readonly<Record<string, string>>;
  /** The run was found on the server, not created with this cursor: it may have anything. */
  readonly adopted: boolean;
  /** Refused points and pairs, kept in `<server>.rejected.jsonl`. */
  readonly rejected: number;
}

/** A short, readable file name for a server. */
const serverSlug = (uri: string): string => {
  const { hostname, port, pathname } = new URL(uri);
  const readable = `${hostname}-${port}${pathname}`.replace(/[^a-zA-Z0-9.]+/g, '-').replace(/^-|-$/g, '');
  return `${readable.slice(0, 40)}-${createHash('sha256').update(uri).digest('hex').slice(0, 6)}`;
};

export const cursorPath = (directory: string, uri: string): string =>
  join(directory, fileNames.mlflow, `${serverSlug(uri)}.json`);

export const lockPath = (directory: string, uri: string): string =>
  join(directory, fileNames.mlflow, `${serverSlug(uri)}.lock`);

const rejectedPath = (directory: string, uri: string): string =>
  join(directory, fileNames.mlflow, `${serverSlug(uri)}.rejected.jsonl`);

export const newCursor = (
  uri: string,
  { run, created }: { readonly run: ServerRun; readonly created: boolean },
): Cursor => ({
  version: 1,
  uri,
  experimentId: run.experimentId,
  runId: run.id,
  artifactUri: run.artifactUri,
  files: {},
  sent: {},
  adopted: !created,
  rejected: 0,
});

export const progressOf = (cursor: Cursor, file: string): FileProgress =>
  cursor.files[file] ?? { done: fileStart, pending: null, unsure: cursor.adopted };

/** The cursor, or nothing when it is missing, damaged, or of another server. */
export const readCursor = (directory: string, uri: string): Cursor | undefined => {
  try {
    const cursor = JSON.parse(readRegularText(cursorPath(directory, uri))) as Partial<Cursor>;
    const whole =
      cursor.version === 1 &&
      cursor.uri === uri &&
      typeof cursor.runId === 'string' &&
      typeof cursor.files === 'object' &&
      typeof cursor.sent === 'object';
    return whole ? (cursor as Cursor) : undefined;
  } catch {
    return undefined;
  }
};

/** Not forced to the disk: a cursor that is too old only costs a comparison. */
export const writeCursor = (directory: string, cursor: Cursor): void =>
  writeWhole(cursorPath(directory, cursor.uri), `${JSON.stringify(cursor)}\n`, 'later');

/** Keeps what a server refused, with its reason. */
export const keepRejected = (directory: string, uri: string, entry: object): void => {
  ensureFolder(join(directory, fileNames.mlflow));
  appendRegular(rejectedPath(directory, uri), `${JSON.stringify(entry, maskedEntry)}\n`);
};

/** Makes the next synchronisation look for the run, or create it. */
export const forgetCursor = (directory: string, uri: string): void =>
  rmSync(cursorPath(directory, uri), { force: true });
