import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The package's name on npm; the name of its command belongs to another package there. */
export const packageName = 'unroll-ml';

const find = (from: string): string => {
  const manifest = join(from, 'package.json');
  if (
    existsSync(manifest) &&
    (JSON.parse(readFileSync(manifest, 'utf8')) as { name?: string }).name === packageName
  )
    return from;
  return find(dirname(from));
};

/** The folder of this package, whether the code runs from `src/` or bundled from `dist/`. */
export const packageRoot = find(dirname(fileURLToPath(import.meta.url)));

/** The version in package.json. */
export const packageVersion = (
  JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')) as { version: string }
).version;
