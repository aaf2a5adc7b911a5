import { pipeline, Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { DataError } from '../dataset.ts';
import { wrongFile, type DataFile } from '../files.ts';
import { mostBytesOf, mostLinesOf } from './growth.ts';

type Chunks = AsyncIterable<Uint8Array>;

const magic = { gzip: [0x1f, 0x8b], zstd: [0x28, 0xb5, 0x2f, 0xfd] } as const;

type Compression = keyof typeof magic;

const newline = 10;

const linesIn = (bytes: Uint8Array): number => {
  let count = 0;
  for (let at = bytes.indexOf(newline); at !== -1; at = bytes.indexOf(newline, at + 1)) count++;
  return count;
};

/** Returns what counts the pieces that a file becomes, and throws when they are made to fill the memory or to take long. */
const watchGrowth = (file: DataFile) => {
  const most = { bytes: mostBytesOf(file.size), lines: mostLinesOf(file.size) };
  const made = { bytes: 0, lines: 0 };
  return (piece: Uint8Array): void => {
    made.bytes += piece.length;
    made.lines += linesIn(piece);
    const what = made.bytes > most.bytes ? 'bytes' : made.lines > most.lines ? 'lines' : undefined;
    if (what === undefined) return;
    throw wrongFile(
      file,
      `has ${file.size} bytes and becomes more than ${most[what]} ${what} when it is decompressed.`,
      {
        expected: `at most ${most[what]} ${what} of a compressed file of this size`,
        help: 'Decompress it yourself if you trust it, and name that file.',
      },
    );
  };
};

type Growth = ReturnType<typeof watchGrowth>;

/** The bytes of a file, decompressed where they begin as gzip or zstd does, whatever the name of the file is. */
export const decompressed = async function* (file: DataFile, chunks: Chunks): AsyncGenerator<Uint8Array> {
  const iterator = chunks[Symbol.asyncIterator]();
  const first = await iterator.next();
  if (first.done === true) return;
  const begin = first.value;
  const growth = watchGrowth(file);
  const rest = async function* () {
    yield begin;
    for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) yield next.value;
  };
  const compression = (Object.keys(magic) as Compression[]).find((one) =>
    magic[one].every((byte, at) => begin[at] === byte),
  );
  if (compression === undefined) {
    yield* rest();
    return;
  }
  try {
    yield* compression === 'gzip' ? gunzip(rest(), growth) : unzstd(rest(), growth);
  } catch (error) {
    if (error instanceof DataError || (error as NodeJS.ErrnoException).syscall !== undefined) throw error;
    throw wrongFile(file, `begins as ${compression} data, and cannot be decompressed: ${reasonOf(error)}.`, {
      expected: `a whole ${compression} file`,
      help: 'Copy or compress it again.',
    });
  }
};

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Readers look for the end of a row from its beginning in each piece, so small pieces of a long row cost much. */
const pieceBytes = 1 << 18;

const gunzip = async function* (chunks: Chunks, growth: Growth): AsyncGenerator<Uint8Array> {
  const unzipped = createGunzip({ chunkSize: pieceBytes });
  // An error on either side ends both, and is thrown to who reads.
  pipeline(Readable.from(chunks), unzipped, () => undefined);
  for await (const chunk of unzipped as AsyncIterable<Uint8Array>) {
    growth(chunk);
    yield chunk;
  }
};

/** The decompressor moves its whole window for each block; blocks are up to 128 KB. */
const mostMoved = { times: 512, bytes: 2e9 } as const;

/** Counts the bytes that are moved, and throws when small blocks or a large window make them too many. */
const watchMoves = (stream: object) => {
  let moved = 0;
  let made = 0;
  return (bytes: number): void => {
    const frame: unknown = Reflect.get(stream, 's');
    const window = typeof frame === 'object' && frame !== null ? Number(Reflect.get(frame, 'e')) : 0;
    moved += window;
    made += bytes;
    if (moved > mostMoved.bytes + mostMoved.times * made)
      throw new Error('its window is too large, or its blocks are too small');
  };
};

/** Zlib has zstd only from Node 22.15 on. */
const unzstd = async function* (chunks: Chunks, growth: Growth): AsyncGenerator<Uint8Array> {
  const { Decompress } = await import('fzstd');
  const done: Uint8Array[] = [];
  const state = { ended: false };
  const stream = new Decompress((data, isLast) => {
    growth(data);
    moves(data.length);
    if (data.length > 0) done.push(data.slice());
    state.ended = isLast === true;
  });
  const moves = watchMoves(stream);
  for await (const chunk of chunks) {
    stream.push(chunk);
    yield* done.splice(0);
  }
  stream.push(new Uint8Array(0), true);
  yield* done.splice(0);
  if (!state.ended) throw new Error('unexpected end of file');
};
