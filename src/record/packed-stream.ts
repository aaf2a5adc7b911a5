import type { Result } from '../diagnostic/diagnostic.ts';
import {
  badTransfer,
  readPacked,
  unpackRun,
  type PackedRun,
  type PackManifest,
  type Unpacking,
} from './packed-run.ts';

/** A manifest of as many files as one may have is smaller. */
const mostManifestBytes = 4 * 2 ** 20;

/** A packed run as one stream: the length of the manifest, the manifest, and the contents in its order. */
export async function* packStream({ manifest, files }: PackedRun): AsyncGenerator<Buffer> {
  const text = Buffer.from(JSON.stringify(manifest));
  yield Buffer.from(`unroll-run ${text.length}\n`);
  yield text;
  for (const file of files) yield* readPacked(file);
}

const header = /^unroll-run (\d{1,9})\n/;

/** As `unpackRun`, of a stream that `packStream` made. */
export const unpackStream = async (
  stream: AsyncIterable<Uint8Array>,
  unpacking: Omit<Unpacking, 'open'>,
): Promise<Result<PackManifest>> => {
  const reader = readerOf(stream);
  try {
    const manifest = await readHead(reader);
    if (manifest === undefined)
      return badTransfer(unpacking.source, 'does not begin with the manifest of a run');
    return await unpackRun(manifest, { ...unpacking, open: (_name, { bytes }) => reader.take(bytes) });
  } finally {
    await reader.close();
  }
};

const readHead = async (reader: Reader): Promise<unknown> => {
  const start = await reader.peek(24);
  const [line, digits] = header.exec(start.toString('latin1')) ?? [];
  const bytes = Number(digits);
  if (line === undefined || bytes > mostManifestBytes) return undefined;
  const parts: Uint8Array[] = [];
  for await (const part of reader.take(line.length + bytes)) parts.push(part);
  try {
    return JSON.parse(Buffer.concat(parts).subarray(line.length).toString('utf8')) as unknown;
  } catch {
    return undefined;
  }
};

interface Reader {
  /** The next bytes, which stay; fewer at the end. */
  readonly peek: (bytes: number) => Promise<Buffer>;
  /** Yields the next bytes; fewer at the end. */
  readonly take: (bytes: number) => AsyncGenerator<Uint8Array>;
  readonly close: () => Promise<void>;
}

const readerOf = (stream: AsyncIterable<Uint8Array>): Reader => {
  const chunks = stream[Symbol.asyncIterator]();
  let kept = Buffer.alloc(0);
  const more = async (): Promise<boolean> => {
    const next = await chunks.next();
    if (next.done) return false;
    kept = kept.length === 0 ? Buffer.from(next.value) : Buffer.concat([kept, next.value]);
    return true;
  };
  return {
    peek: async (bytes) => {
      while (kept.length < bytes && (await more()));
      return kept.subarray(0, bytes);
    },
    take: async function* (bytes) {
      for (let left = bytes; left > 0;) {
        if (kept.length === 0 && !(await more())) return;
        const part = kept.subarray(0, left);
        kept = kept.subarray(part.length);
        left -= part.length;
        yield part;
      }
    },
    close: async () => {
      await chunks.return?.();
    },
  };
};
