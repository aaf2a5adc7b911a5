import { statSync } from 'node:fs';
import { endlessFile } from '../system/files.ts';
import { damage, type Problem } from './problem.ts';

/** What is wrong with an entry that is no file: a pipe, a socket or a device, or a folder where a file is expected. */
export const oddEntry = (
  path: string,
  { isFile, repairing }: { readonly isFile: boolean; readonly repairing: string },
): Problem | undefined => {
  const kind = endlessFile(path);
  // It holds nothing that could be lost.
  if (kind !== undefined)
    return damage(path, `is ${kind}, not a file`, { repair: { kind: 'delete', path }, next: repairing });
  const isFolder = isFile && statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
  if (!isFolder) return undefined;
  return damage(path, 'is not a regular file', { repair: { kind: 'set-aside', path }, next: repairing });
};
