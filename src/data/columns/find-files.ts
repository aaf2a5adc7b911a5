import { readdir, stat } from 'node:fs/promises';
import { basename, join, relative, resolve, sep } from 'node:path';
import { DataError, type DataContext } from '../dataset.ts';
import { findDataFile, wrongFile, type DataFile } from '../files.ts';
import { fitsPathPattern } from '../../system/wildcards.ts';

/** Data in one file, or in several of a folder or a pattern. */
export interface DataFiles {
  /** As it was written in the spec, and the parameter that it was written at. */
  readonly name: string;
  readonly parameter: string;
  /** In the order of their names; at least one. */
  readonly files: readonly DataFile[];
  /** Whether they are named one by one: false for a folder or a pattern. */
  readonly isSingle: boolean;
  /** The name of a file within the folder that all of them are in; part of the content where there are several. */
  readonly nameWithin: (file: DataFile) => string;
}

/** Whether a path is a pattern of several files, such as `sensors/*.csv`. */
export const isPattern = (path: string): boolean => /[*?]/.test(path);

/**
 * The files that a parameter names: a file, all files in a folder, or those whose paths fit a pattern with `*`, `?` and
 * `**` for folders within. Throws `DataError` at that parameter when there is none.
 */
export const findDataFiles = async (
  name: string,
  context: DataContext,
  parameter: string,
): Promise<DataFiles> => {
  const path = resolve(context.baseDirectory, name);
  const found = await stat(path).catch(() => undefined);
  const isSingle = !(found?.isDirectory() ?? isPattern(name));
  if (isSingle) {
    const file = await findDataFile(name, context, parameter);
    return { name, parameter, files: [file], isSingle, nameWithin: ({ path: one }) => basename(one) };
  }
  const folder = found ? path : folderOfPattern(path);
  const wanted = found ? '*' : slashed(relative(folder, path));
  const depth = found ? 1 : name.includes('**') ? Infinity : relative(folder, path).split(sep).length;
  const names = await namesBelow(folder, depth).catch((error: unknown) => {
    const { code, path: closed = folder } = error as NodeJS.ErrnoException;
    if (code !== 'EACCES') throw error;
    throw wrongFile({ name, parameter }, 'cannot be read: you have no permission for a folder.', {
      expected: 'folders that you may read',
      help: `Allow it with \`chmod u+rx ${closed}\`, or name another folder.`,
    });
  });
  const fitting = names.filter((one) => fitsPathPattern(wanted, one)).sort();
  if (fitting.length === 0) {
    throw new DataError(
      {
        path: parameter,
        message: found ? `The folder ${name} has no files.` : `No file fits ${name}.`,
        expected: 'a folder or a pattern with at least one file',
        help: 'Check the path: a relative one starts at the folder of the spec.',
      },
      { code: 'data-missing' },
    );
  }
  const files: DataFile[] = [];
  for (const one of fitting) {
    const shown = slashed(relative(context.baseDirectory, join(folder, one)));
    files.push(await findDataFile(shown.startsWith('..') ? join(folder, one) : shown, context, parameter));
  }
  return {
    name,
    parameter,
    files,
    isSingle,
    nameWithin: ({ path: one }) => slashed(relative(folder, one)),
  };
};

/** A path with slashes on every platform. */
export const slashed = (path: string): string => path.split(sep).join('/');

/** The folder above the first part of a path with a wildcard. */
const folderOfPattern = (path: string): string => {
  const parts = path.split(sep);
  return parts.slice(0, parts.findIndex(isPattern)).join(sep) || sep;
};

/** A folder that is missing has no files; one without permission may have some. */
const noneUnlessRefused = (error: unknown): [] => {
  if ((error as NodeJS.ErrnoException).code === 'EACCES') throw error;
  return [];
};

/** Paths of the files below a folder, without hidden ones, down to a depth. */
const namesBelow = async (folder: string, deepest: number): Promise<readonly string[]> => {
  const found: string[] = [];
  const visit = async (within: string, depth: number): Promise<void> => {
    const entries = await readdir(join(folder, within), { withFileTypes: true }).catch(noneUnlessRefused);
    for (const entry of entries) {
      if (entry.name.startsWith('.')) continue;
      const name = within === '' ? entry.name : `${within}/${entry.name}`;
      if (entry.isDirectory()) {
        if (depth < deepest) await visit(name, depth + 1);
      } else if (entry.isFile() || entry.isSymbolicLink()) found.push(name);
    }
  };
  await visit('', 1);
  return found;
};
