import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

/** A folder with the given files, and a cache of its own, until the end of the test. */
export const dataFolder = (
  files: Readonly<Record<string, string | Uint8Array>>,
): { baseDirectory: string } => {
  const baseDirectory = temporaryDirectory();
  for (const [name, content] of Object.entries(files)) writeFileSync(join(baseDirectory, name), content);
  const before = process.env['UNROLL_CACHE'];
  process.env['UNROLL_CACHE'] = join(baseDirectory, 'cache');
  onTestFinished(() => {
    if (before === undefined) delete process.env['UNROLL_CACHE'];
    else process.env['UNROLL_CACHE'] = before;
  });
  return { baseDirectory };
};
