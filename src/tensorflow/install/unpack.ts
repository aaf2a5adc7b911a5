import { createHash, randomUUID } from 'node:crypto';
import { createWriteStream, existsSync, rmSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { openPromise } from 'yauzl';
import type { Entry } from 'yauzl';
import { success } from '../../diagnostic/diagnostic.ts';
import type { Result } from '../../diagnostic/diagnostic.ts';
import { writeDigests } from './digests.ts';
import { setupFailure } from './problem.ts';
import type { Wheel } from './wheel.ts';
import { setupCommand } from './setup-command.ts';
import { ensureFolder } from '../../system/files.ts';
import { ignoringSystemErrors } from '../../system/system-error.ts';

/** The headers of TensorFlow's C interface and what they include; the wheel's other 9,000 headers are C++. */
const headerFolders = [
  'tensorflow/c/',
  'tensorflow/core/common_runtime/next_pluggable_device/c/',
  'tensorflow/core/platform/ctstring',
  'tsl/platform/ctstring',
  'tsl/platform/platform.h',
  'xla/tsl/c/',
];

/** The path of a wheel's file below the unpacked folder; undefined if it is not needed. */
const destination = (name: string, wheel: Wheel): string | undefined => {
  const library = wheel.libraries.find((file) => name === `tensorflow/${file}`);
  if (library !== undefined) return join('lib', library);
  if (name === 'tensorflow/THIRD_PARTY_NOTICES.txt') return basename(name);
  const header = /^tensorflow\/(include\/(.+\.h))$/.exec(name);
  return header && headerFolders.some((folder) => header[2]?.startsWith(folder)) ? header[1] : undefined;
};

/**
 * Unpacks the libraries and C headers of a wheel into `folder` (`lib/`, `include/`) and records their digests. The folder
 * appears whole or not at all. `onProgress` gets the unpacked bytes and how many there will be.
 */
export const unpackWheel = async (
  wheel: Wheel,
  paths: { readonly file: string; readonly folder: string },
  onProgress: (bytes: number, totalBytes: number) => void,
): Promise<Result<void>> => {
  const temporary = `${paths.folder}.${randomUUID()}.tmp`;
  try {
    const zip = await openPromise(paths.file, { lazyEntries: true, autoClose: false });
    const wanted: { readonly entry: Entry; readonly target: string }[] = [];
    for await (const entry of zip.eachEntry()) {
      const target = destination(entry.fileName, wheel);
      if (target !== undefined) wanted.push({ entry, target });
    }
    const missing = wheel.libraries.filter(
      (file) => !wanted.some(({ target }) => target === join('lib', file)),
    );
    if (missing.length > 0)
      return setupFailure(`${wheel.file} does not hold ${missing.join(', ')}`, 'This is a bug in Unroll.');
    const total = wanted.reduce((sum, { entry }) => sum + entry.uncompressedSize, 0);
    let done = 0;
    const digests: Record<string, string> = {};
    for (const { entry, target } of wanted) {
      const hash = createHash('sha256');
      const count = new Transform({
        transform: (chunk: Buffer, _encoding, next) => {
          hash.update(chunk);
          onProgress((done += chunk.length), total);
          next(null, chunk);
        },
      });
      const file = join(temporary, target);
      ensureFolder(dirname(file));
      await pipeline(await zip.openReadStreamPromise(entry), count, createWriteStream(file));
      digests[target] = hash.digest('hex');
    }
    zip.close();
    writeDigests(temporary, digests);
    // Another set-up may have been faster; what it unpacked came from the same verified file.
    if (!existsSync(paths.folder)) await rename(temporary, paths.folder);
    return success(undefined);
  } catch (error) {
    return setupFailure(
      `${wheel.file} cannot be unpacked into ${dirname(paths.folder)}: ${(error as Error).message}`,
      `Free some space (1.2 GB are needed) or name another folder in UNROLL_CACHE, then run \`${setupCommand}\` again.`,
    );
  } finally {
    ignoringSystemErrors(() => rmSync(temporary, { recursive: true, force: true }));
  }
};
