import { createHash } from 'node:crypto';
import { streamOf } from './files.ts';

/** The size of a file, and the hex SHA-256 of its content, read in pieces. */
export const digestOf = async (
  path: string,
): Promise<{ readonly bytes: number; readonly sha256: string }> => {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of streamOf(path, { highWaterMark: 1 << 20 }) as AsyncIterable<Buffer>) {
    hash.update(chunk);
    bytes += chunk.byteLength;
  }
  return { bytes, sha256: hash.digest('hex') };
};
