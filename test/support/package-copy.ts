import { cpSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../src/system/package-root.ts';
import { temporaryDirectory } from './temporary-directory.ts';

/** A copy of the built package, of which a test may change the program. */
export const copyPackage = (): string => {
  const copy = temporaryDirectory('package');
  for (const name of ['bin', 'dist', 'package.json'])
    cpSync(join(packageRoot, name), join(copy, name), {
      recursive: true,
      filter: (path) => !path.endsWith('.map'),
    });
  symlinkSync(join(packageRoot, 'node_modules'), join(copy, 'node_modules'));
  return copy;
};
