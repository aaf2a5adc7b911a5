import { existsSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';

/** How the file that registers rows may be called. */
export const configNames = ['unroll.config.ts', 'unroll.config.mts', 'unroll.config.js', 'unroll.config.mjs'];

/**
 * The nearest config: in a folder or above it, as far as the working directory. A folder outside of the working
 * directory is searched alone.
 */
export const findConfig = (folder: string, workingDirectory = process.cwd()): string | undefined => {
  const start = resolve(folder);
  const below = relative(workingDirectory, start);
  const isInside =
    below !== '..' && !below.startsWith(`..${sep}`) && resolve(workingDirectory, below) === start;
  for (let here = start; ; here = dirname(here)) {
    const found = configNames.map((name) => join(here, name)).find((path) => existsSync(path));
    if (found !== undefined) return found;
    if (!isInside || here === resolve(workingDirectory) || here === dirname(here)) return undefined;
  }
};
