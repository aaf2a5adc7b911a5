import { lstatSync } from 'node:fs';
import { endlessFile } from '../system/files.ts';
import type { Diagnostic, SourceRange } from './diagnostic.ts';

/** How a file to write was named, and how to allow that it replaces another one. */
interface OutputWords {
  /** Such as `--output`. */
  readonly option: string;
  /** Such as `--force`. */
  readonly force: string;
  readonly at?: SourceRange | undefined;
}

/** Why a file that somebody named is not written: one is there, and nobody allowed to replace it, or it is no file. */
export const takenFile = (
  path: string,
  force: boolean,
  { option, force: word, at }: OutputWords,
): Diagnostic | undefined => {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (!stat) return undefined;
  const kind = stat.isDirectory() ? 'a folder' : endlessFile(path);
  if (kind === undefined && force) return undefined;
  return {
    code: 'file-exists',
    severity: 'error',
    message: `${path} ${kind === undefined ? 'exists already' : `is ${kind}`}, so nothing was written.`,
    ...(at && { at }),
    expected: kind === undefined ? `the path of a new file, or ${word}` : 'the path of a file',
    help:
      kind === undefined
        ? `Write ${word} to replace it, or name another file with ${option}.`
        : `Name a file with ${option}.`,
  };
};
