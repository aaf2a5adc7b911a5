import { createWriteStream, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { findDataFiles, type DataFiles } from '../data/columns/find-files.ts';
import { DataError } from '../data/dataset.ts';
import { failure, success, type Result } from '../diagnostic/diagnostic.ts';
import { named } from '../system/system-error.ts';
import { dataDiagnostics } from './data-diagnostics.ts';

/** Files to predict, and how to leave them. */
export interface Input {
  readonly files: DataFiles;
  readonly close: () => void;
}

/** The files that are named: a file, a folder, a pattern, or `-` for what comes in on a stream, which is kept in a file. */
export const findInput = async (
  name: string,
  { stream, parameter }: { readonly stream: NodeJS.ReadableStream; readonly parameter: string },
): Promise<Result<Input>> => {
  try {
    if (name !== '-') {
      const files = await findDataFiles(name, { baseDirectory: '.' }, parameter);
      return success({ files, close: () => undefined });
    }
    const folder = mkdtempSync(join(tmpdir(), 'unroll-input-'));
    const path = join(folder, 'input');
    try {
      await pipeline(stream, createWriteStream(path));
    } catch (error) {
      rmSync(folder, { recursive: true, force: true });
      throw named(error, path);
    }
    const found = await findDataFiles(path, { baseDirectory: '.' }, parameter);
    const files = {
      ...found,
      name: 'standard input',
      files: found.files.map((file) => ({ ...file, name: 'standard input' })),
    };
    return success({ files, close: () => rmSync(folder, { recursive: true, force: true }) });
  } catch (error) {
    if (error instanceof DataError) return failure(...dataDiagnostics(error).map(fromHere));
    throw error;
  }
};

/** Paths of a command line start at the working directory. */
const fromHere = <D extends { readonly help?: string }>(error: D): D =>
  error.help === undefined
    ? error
    : { ...error, help: error.help.replaceAll('the folder of the spec', 'the working directory') };
