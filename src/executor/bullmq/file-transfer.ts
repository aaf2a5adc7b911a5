import type { Redis } from 'ioredis';
import type { FileDigest } from '../../record/digests.ts';
import { readPacked, type PackedFile } from '../../record/packed-run.ts';
import { keys } from './protocol.ts';
import { allDone } from './redis.ts';

/** Redis holds a value in memory as a whole, and sends it as a whole. */
const pieceBytes = 1 << 20;

/** Pieces that are sent together: one answer of Redis is awaited for all of them. */
const togetherBytes = 8 << 20;

/** How long finished runs wait for who submitted them. */
export const keptSeconds = 7 * 24 * 3600;

/** How long they are kept for others once somebody has recorded them. */
const afterwardsSeconds = 3600;

const piecesOf = ({ bytes }: Pick<FileDigest, 'bytes'>): number => Math.ceil(bytes / pieceBytes);

/** Files in Redis, each once by its digest. */
export interface Shelf {
  readonly client: Redis;
  /** The job that they are the result of: what is released with it must not be a file of another one that is the same. */
  readonly job?: string | undefined;
}

const keyOf = ({ job }: Shelf, { sha256 }: Pick<FileDigest, 'sha256'>, piece: number): string =>
  keys.file(job === undefined ? sha256 : `${job}:${sha256}`, piece);

/** The keys of the pieces of a file, made as they are needed: a wrong manifest may claim any number of bytes. */
function* keysOf(shelf: Shelf, digest: FileDigest): Generator<string> {
  for (let piece = 0; piece < piecesOf(digest); piece++) yield keyOf(shelf, digest, piece);
}

/** As many keys of files as are asked for at once. */
function* keysTogether(shelf: Shelf, files: readonly FileDigest[]): Generator<readonly string[]> {
  const distinct = new Map(files.map((file) => [`${file.sha256} ${file.bytes}`, file]));
  let together: string[] = [];
  for (const file of distinct.values())
    for (const key of keysOf(shelf, file)) {
      if (together.push(key) < mostKeys) continue;
      yield together;
      together = [];
    }
  if (together.length > 0) yield together;
}

const mostKeys = 1000;

/** Puts the files of a packed run into Redis. */
export const sendPacked = async (shelf: Shelf, files: readonly PackedFile[]): Promise<void> => {
  const { client } = shelf;
  let pipeline = client.pipeline();
  let waiting = 0;
  const flush = async () => {
    await allDone(pipeline);
    pipeline = client.pipeline();
    waiting = 0;
  };
  for (const file of files) {
    let piece = 0;
    for await (const content of inPieces(readPacked(file))) {
      pipeline.set(keyOf(shelf, file, piece++), content, 'EX', keptSeconds);
      waiting += content.byteLength;
      if (waiting >= togetherBytes) await flush();
    }
  }
  if (waiting > 0) await flush();
};

/** Chunks of any size as pieces of one size; the last may be shorter. */
async function* inPieces(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of chunks) {
    rest = rest.byteLength === 0 ? chunk : Buffer.concat([rest, chunk]);
    for (; rest.byteLength >= pieceBytes; rest = rest.subarray(pieceBytes))
      yield rest.subarray(0, pieceBytes);
  }
  if (rest.byteLength > 0) yield rest;
}

/** The content of a file; it ends early if Redis no longer has all of it, which its digest shows. */
export async function* receive(shelf: Shelf, digest: FileDigest): AsyncGenerator<Uint8Array> {
  let left = digest.bytes;
  for (const key of keysOf(shelf, digest)) {
    const expected = Math.min(pieceBytes, left);
    const piece = await shelf.client.getrangeBuffer(key, 0, lastAsked(expected));
    if (piece.byteLength === 0) return;
    yield piece;
    left -= expected;
  }
}

/** The last byte of a piece that is asked for: one more than it has, which shows another value, however large that is. */
const lastAsked = (bytes: number): number => bytes;

/** The content of a file: whole, or in pieces as they are read. */
export type OpenFile = (digest: FileDigest) => Uint8Array | AsyncIterable<Uint8Array>;

/**
 * Opens files: the small ones are fetched with one answer of Redis for all of them, the others when they are read.
 * Undefined if Redis no longer has all of them.
 */
export const openFiles = async (
  shelf: Shelf,
  files: readonly FileDigest[],
): Promise<OpenFile | undefined> => {
  const fetched: FileDigest[] = [];
  const later: FileDigest[] = [];
  let room = togetherBytes;
  for (const file of files) {
    const isFetched = file.bytes <= Math.min(pieceBytes, room);
    if (isFetched) room -= file.bytes;
    (isFetched ? fetched : later).push(file);
  }
  const full = fetched.filter(({ bytes }) => bytes > 0);
  const fetchPieces = async (): Promise<readonly Buffer[]> => {
    const asked = shelf.client.pipeline();
    for (const file of full) asked.getrangeBuffer(keyOf(shelf, file, 0), 0, lastAsked(file.bytes));
    return (await allDone(asked)) as readonly Buffer[];
  };
  const [pieces, areOthersThere] = await Promise.all([
    full.length === 0 ? [] : fetchPieces(),
    areThere(shelf, later),
  ]);
  if (!areOthersThere || pieces.some(({ byteLength }) => byteLength === 0)) return undefined;
  const contents = new Map(full.map(({ sha256 }, index) => [sha256, pieces[index]]));
  return (digest) =>
    digest.bytes === 0 ? Buffer.alloc(0) : (contents.get(digest.sha256) ?? receive(shelf, digest));
};

/** Whether Redis still has files. The first keys that are missing end it. */
export const areThere = async (shelf: Shelf, files: readonly FileDigest[]): Promise<boolean> => {
  for (const wanted of keysTogether(shelf, files))
    if ((await shelf.client.exists(...wanted)) < wanted.length) return false;
  return true;
};

/** Lets recorded files expire soon. */
export const release = async (shelf: Shelf, files: readonly FileDigest[]): Promise<void> => {
  for (const wanted of keysTogether(shelf, files)) {
    const pipeline = shelf.client.pipeline();
    for (const key of wanted) pipeline.expire(key, afterwardsSeconds);
    await allDone(pipeline);
  }
};
