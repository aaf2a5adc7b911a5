import { decompressed } from '../columns/decompress.ts';
import { chunksOf, wrongFile, type DataFile } from '../files.ts';

/** What is made of a piece is garbage before the next; much larger pieces outlive the young generation. */
const chunkBytes = 1 << 18;

/** The text of a UTF-8 file, plain or compressed with gzip or zstd, in pieces and without a byte order mark. Throws `DataError` where it is no such text. */
export const textOf = async function* (file: DataFile): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  const decode = (chunk: Uint8Array | undefined): string => {
    try {
      return decoder.decode(chunk, { stream: chunk !== undefined });
    } catch {
      throw wrongFile(file, 'is not UTF-8 text.', {
        expected: 'a UTF-8 text file',
        help: 'Save it as UTF-8.',
      });
    }
  };
  for await (const chunk of decompressed(file, chunksOf(file, { activity: 'packing', chunkBytes }))) {
    if (chunk.includes(0)) {
      throw wrongFile(file, 'is not a text file: it has null bytes.', {
        expected: 'a UTF-8 text file',
        help: 'Name another file, or save it as UTF-8.',
      });
    }
    yield decode(chunk);
  }
  yield decode(undefined);
};
