import { createHash } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { readRegular } from './files.ts';
import { packageRoot } from './package-root.ts';

let digest: string | undefined;

/**
 * The first 16 hexadecimal digits of the SHA-256 of the program as it is installed, in which every child process trains;
 * undefined where it is not built. A version alone would not show that a line of it was changed.
 */
export const builtInCode = (): string | undefined => {
  const folder = join(packageRoot, 'dist');
  return (digest ??= existsSync(folder) ? digestOfProgram(folder) : undefined);
};

const digestOfProgram = (folder: string): string => {
  const hash = createHash('sha256');
  for (const name of readdirSync(folder).sort())
    if (name.endsWith('.js')) hash.update(`${name}\0`).update(readRegular(join(folder, name)));
  return hash.digest('hex').slice(0, 16);
};
