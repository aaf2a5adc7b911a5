import { existsSync, lstatSync, mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Diagnostic } from '../../diagnostic/diagnostic.ts';
import { exportModel, type ExportedFile } from '../../export/export-model.ts';
import type { ExportFormat } from '../../export/formats.ts';
import { writeWhole } from '../../system/files.ts';
import { formatBytes } from '../../terminal/format.ts';
import type { Execute } from '../command.ts';
import { openNamedModel } from '../../prediction/open-named-model.ts';

interface Options {
  readonly runsDirectory: string;
  readonly format: ExportFormat;
  readonly output: string;
  readonly force?: boolean | undefined;
  readonly json?: boolean | undefined;
}

/** `unroll export MODEL` */
export const execute: Execute<Options> = async ([reference = ''], options, terminal) => {
  const { format, output, force, json } = options;
  const model = await openNamedModel(reference, { ...options, complain: terminal.complain });
  const files = model.ok ? exportModel(model.value, format) : model;
  if (!files.ok) return terminal.refuse(files.errors, { json });
  if (lstatSync(output, { throwIfNoEntry: false }) && !isFolder(output))
    return terminal.refuse([notAFolder(output)], { json });
  const taken = files.value.filter(({ name }) => existsSync(join(output, name)));
  if (taken.length > 0 && force !== true) return terminal.refuse([alreadyThere(output, taken)], { json });
  mkdirSync(output, { recursive: true });
  const written = files.value.map(({ name, content }) => {
    const path = join(output, name);
    writeWhole(path, content);
    return { path, bytes: bytesOf(content) };
  });
  if (json) terminal.print(JSON.stringify({ format, files: written }, null, 2));
  else for (const { path, bytes } of written) terminal.print(`${path}  ${formatBytes(bytes)}`);
  return 0;
};

const bytesOf = (content: ExportedFile['content']): number =>
  typeof content === 'string'
    ? Buffer.byteLength(content)
    : content.reduce((sum, { byteLength }) => sum + byteLength, 0);

const isFolder = (path: string): boolean => {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
};

const notAFolder = (output: string): Diagnostic => ({
  code: 'file-exists',
  severity: 'error',
  message: `${output} is not a folder, so nothing was written.`,
  expected: 'a folder, or a name that nothing has yet',
  help: 'Name another folder with --output.',
});

const alreadyThere = (output: string, taken: readonly ExportedFile[]): Diagnostic => ({
  code: 'file-exists',
  severity: 'error',
  message: `${output} already has ${taken.map(({ name }) => name).join(', ')}, so nothing was written.`,
  expected: 'a folder without these files, or --force',
  help: 'Write --force to replace them, or name another folder with --output.',
});
