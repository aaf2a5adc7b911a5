import { decompress as unzstd } from 'fzstd';
import type { CompressionCodec } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';

/** Decompresses pages to the length that they claim, or less; undefined where they are not compressed. */
export const pageDecompressor = (
  codec: CompressionCodec,
): ((input: Uint8Array, length: number) => Uint8Array) | undefined => {
  switch (codec) {
    case 'UNCOMPRESSED':
      return undefined;
    case 'GZIP':
      return (input, length) => gunzipSync(input, { maxOutputLength: Math.max(1, length) });
    case 'BROTLI':
      return (input, length) => brotliDecompressSync(input, { maxOutputLength: Math.max(1, length) });
    case 'ZSTD':
      // With the space that it needs, it does not allocate what its own header claims.
      return (input, length) => unzstd(input, new Uint8Array(length));
    case 'SNAPPY':
    case 'LZ4':
    case 'LZ4_RAW':
    case 'LZO':
    default: {
      const decompress = compressors[codec];
      if (!decompress) throw new Error(`the compression ${codec} is not supported`);
      return decompress;
    }
  }
};
