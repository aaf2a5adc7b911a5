import { existsSync, lstatSync } from 'node:fs';
import { join } from 'node:path';
import { failure, success, type Diagnostic, type Result } from '../diagnostic/diagnostic.ts';
import { ensureFolder, isFolder, writeWhole } from '../system/files.ts';
import type { ExportedFile } from './export-model.ts';

/** A file that an export wrote. */
export interface WrittenFile {
  readonly path: string;
  readonly bytes: number;
}

/** Where an export is written, and how that and a replacement were named. */
interface ExportPlace {
  readonly output: string;
  /** Replace files that are there. */
  readonly force: boolean;
  readonly words: { readonly option: string; readonly force: string };
}

/** Writes an export into a folder, all of it or nothing. */
export const writeExport = (
  files: readonly ExportedFile[],
  { output, force, words }: ExportPlace,
): Result<readonly WrittenFile[]> => {
  if (lstatSync(output, { throwIfNoEntry: false }) && !isFolder(output))
    return failure(notAFolder(output, words));
  const taken = files.filter(({ name }) => existsSync(join(output, name)));
  if (taken.length > 0 && !force) return failure(alreadyThere(output, taken, words));
  ensureFolder(output);
  return success(
    files.map(({ name, content }) => {
      const path = join(output, name);
      writeWhole(path, content);
      return { path, bytes: bytesOf(content) };
    }),
  );
};

const bytesOf = (content: ExportedFile['content']): number =>
  typeof content === 'string'
    ? Buffer.byteLength(content)
    : content.reduce((sum, { byteLength }) => sum + byteLength, 0);

const notAFolder = (output: string, { option }: ExportPlace['words']): Diagnostic => ({
  code: 'file-exists',
  severity: 'error',
  message: `${output} is not a folder, so nothing was written.`,
  expected: 'a folder, or a name that nothing has yet',
  help: `Name another folder with ${option}.`,
});

const alreadyThere = (
  output: string,
  taken: readonly ExportedFile[],
  { option, force }: ExportPlace['words'],
): Diagnostic => ({
  code: 'file-exists',
  severity: 'error',
  message: `${output} already has ${taken.map(({ name }) => name).join(', ')}, so nothing was written.`,
  expected: `a folder without these files, or ${force}`,
  help: `Write ${force} to replace them, or name another folder with ${option}.`,
});
