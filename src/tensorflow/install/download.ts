import { createWriteStream, statSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { success } from '../../diagnostic/diagnostic.ts';
import type { Result } from '../../diagnostic/diagnostic.ts';
import { httpCause } from '../../system/http-causes.ts';
import { sha256Of } from './digests.ts';
import { publicAddress } from './http.ts';
import type { HttpGet } from './http.ts';
import { setupFailure } from './problem.ts';
import { setupCommand } from './setup-command.ts';
import { ensureFolder } from '../../system/files.ts';
import { systemErrorOf } from '../../system/system-error.ts';

export interface Download {
  readonly url: string;
  /** Path of the whole file; while it arrives it is called `<file>.part`. */
  readonly file: string;
  readonly bytes: number;
  /** Hex SHA-256 of the whole file. */
  readonly sha256: string;
  /** What to do where the server refuses the file. */
  readonly help?: string;
  /** Called with the number of bytes on disk. */
  readonly onProgress: (bytes: number) => void;
}

/** Broken connections in a row, without a byte gained, after which the download gives up. */
const fruitlessAttempts = 4;

const again = `The part that arrived is kept: run \`${setupCommand}\` again to continue.`;

const sizeOf = (file: string): number => statSync(file, { throwIfNoEntry: false })?.size ?? 0;

/** Moves a complete file into place if its digest is the expected one; otherwise deletes it. */
const accept = async ({ file, sha256 }: Download): Promise<Result<void>> => {
  const part = `${file}.part`;
  const got = await sha256Of(part);
  if (got === sha256) {
    await rename(part, file);
    return success(undefined);
  }
  await rm(part, { force: true });
  return setupFailure(
    `The downloaded ${file} is damaged or not the expected file and was deleted ` +
      `(SHA-256 expected ${sha256}, got ${got})`,
    `Run \`${setupCommand}\` again; if it stays so, the index or a proxy changes files on the way.`,
  );
};

/** Makes one request and appends the answer. Returns a sentence for an error status; throws if the connection breaks. */
const receive = async (get: HttpGet, download: Download): Promise<string | undefined> => {
  const { url, bytes } = download;
  const part = `${download.file}.part`;
  if (sizeOf(part) > bytes) await rm(part);
  const have = sizeOf(part);
  const response = await get(url, {
    'accept-encoding': 'identity',
    ...(have > 0 && { range: `bytes=${have}-` }),
  });
  const resumes =
    response.status === 206 && response.headers.get('content-range')?.startsWith(`bytes ${have}-`) === true;
  if (!resumes && response.status !== 200) {
    await response.body?.cancel();
    // 416 or another range than requested: the server has a different file, so start again.
    if (have > 0 && (response.status === 416 || response.status === 206)) {
      await rm(part, { force: true });
      return undefined;
    }
    return `${publicAddress(url)} answered ${response.status}`;
  }
  if (!response.body) return `${publicAddress(url)} sent nothing`;
  let arrived = resumes ? have : 0;
  const counted = async function* (body: AsyncIterable<Uint8Array>) {
    for await (const chunk of body) {
      arrived += chunk.length;
      if (arrived > bytes) throw new Error('it sent more bytes than the file has');
      download.onProgress(arrived);
      yield chunk;
    }
  };
  const sink = createWriteStream(part, { flags: resumes ? 'a' : 'w' });
  const closed = new Promise<void>((resolve) => void sink.once('close', () => resolve()));
  try {
    await pipeline(Readable.fromWeb(response.body), counted, sink);
  } finally {
    // A broken connection leaves a write under way: only a closed file has the size to resume from.
    await closed;
  }
  return undefined;
};

/**
 * Fetches a file of known size and digest. Resumes from the `.part` file of an earlier attempt if the server can send
 * ranges, and tries again when the connection breaks.
 */
export const fetchFile = async (get: HttpGet, download: Download): Promise<Result<void>> => {
  const part = `${download.file}.part`;
  ensureFolder(dirname(download.file));
  let fruitless = 0;
  let problem = 'the server sent too little';
  while (sizeOf(part) !== download.bytes) {
    const before = sizeOf(part);
    try {
      const refused = await receive(get, download);
      if (refused !== undefined) return setupFailure(refused, download.help ?? again);
    } catch (error) {
      const trouble = systemErrorOf(error);
      if (trouble) {
        return setupFailure(
          `${part} cannot be written: ${trouble.what} (${trouble.code})`,
          `Free some space or name another folder in UNROLL_CACHE, then run \`${setupCommand}\` again.`,
        );
      }
      problem = httpCause(error);
    }
    fruitless = sizeOf(part) > before ? 0 : fruitless + 1;
    if (fruitless >= fruitlessAttempts)
      return setupFailure(`${publicAddress(download.url)}: ${problem}`, again);
    if (fruitless > 0) await new Promise((resolve) => setTimeout(resolve, 250 * 2 ** fruitless));
  }
  return accept(download);
};
