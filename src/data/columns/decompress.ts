import { pipeline, Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { DataError } from '../dataset.ts';
import { wrongFile, type DataFile } from '../files.ts';

type Chunks = AsyncIterable<Uint8Array>;

const magic = { gzip: [0x1f, 0x8b], zstd: [0x28, 0xb5, 0x2f, 0xfd] } as const;

type Compression = keyof typeof magic;

/** What becomes much larger than this is made to fill the memory, not to hold data. */
const mostGrowth = { times: 50, bytes: 8 << 20 } as const;

/** Counts what is read and what comes out of it. */
const watchGrowth = (file: DataFile) => {
  let read = 0;
  let made = 0;
  return {
    read: (bytes: number) => {
      read += bytes;
    },
    made: (bytes: number) => {
      made += bytes;
      if (made <= mostGrowth.bytes + mostGrowth.times * read) return;
      throw wrongFile(file, `becomes more than ${mostGrowth.times} times as large when it is decompressed.`, {
        expected: `at most ${mostGrowth.times} times its size, or ${mostGrowth.bytes >> 20} MB`,
        help: 'Decompress it yourself if you trust it, and name that file.',
      });
    },
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
    growth.read(begin.length);
    yield begin;
    for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) {
      growth.read(next.value.length);
      yield next.value;
    }
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
    growth.made(chunk.length);
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
    growth.made(data.length);
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
