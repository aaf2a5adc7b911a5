import { endlessFile, readRegular } from '../system/files.ts';
import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { failure, success, type Diagnostic, type Result, type SourceText } from '../diagnostic/diagnostic.ts';
import { nearest } from '../diagnostic/nearest.ts';

/** Largest spec file, in bytes: 1 MiB. */
export const maxFileBytes = 1024 * 1024;

/** A file's text, or why it cannot be a spec. Byte order marks are dropped. `path` is shown as it is written. */
export const readSpecFile = async (path: string): Promise<Result<SourceText>> => {
  const wrong = (diagnostic: Pick<Diagnostic, 'code' | 'message'> & Partial<Diagnostic>) =>
    failure({ severity: 'error', at: { source: { name: path, text: '' }, start: 0, end: 0 }, ...diagnostic });
  try {
    const state = await stat(path);
    if (state.isDirectory()) {
      const specs = await specsIn(path);
      return wrong({
        code: 'file-unreadable',
        message: 'This is a folder, not a spec.',
        expected: 'a YAML file',
        got: 'a folder',
        help: specs.length
          ? `Name one of its specs: ${specs.map((name) => join(path, name)).join(', ')}.`
          : 'Name a YAML file.',
      });
    }
    if (!state.isFile()) {
      return wrong({
        code: 'file-unreadable',
        message: `This is ${endlessFile(path) ?? 'something else'}, not a file.`,
        expected: 'a YAML file',
        got: endlessFile(path) ?? 'something else',
        help: 'Write the spec to a file and name that.',
      });
    }
    if (state.size > maxFileBytes) {
      return wrong({
        code: 'file-too-large',
        message: 'The file is too large to be a spec.',
        expected: 'at most 1 MiB',
        got: `${(state.size / maxFileBytes).toFixed(1)} MiB`,
        help: 'Give ranges such as { log: [1e-4, 1e-2], steps: 9 } in place of long lists of values.',
      });
    }
    return decode(path, readRegular(path), wrong);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') {
      const near = nearest(basename(path), await specsIn(dirname(path)));
      return wrong({
        code: 'file-missing',
        message: 'The file does not exist.',
        expected: 'an existing YAML file',
        got: `no file ${path}`,
        ...(near && { nearest: join(dirname(path), near) }),
        help: near
          ? `Did you mean ${join(dirname(path), near)}?`
          : 'Check the path and the folder it starts from.',
      });
    }
    if (code === 'EACCES' || code === 'EPERM') {
      return wrong({
        code: 'file-unreadable',
        message: 'You have no permission to read the file.',
        expected: 'a file that you may read',
        got: code,
        help: `Allow it with: chmod u+r ${path}`,
      });
    }
    throw error;
  }
};

type Wrong = (diagnostic: Pick<Diagnostic, 'code' | 'message'> & Partial<Diagnostic>) => Result<never>;

const decode = (name: string, bytes: Buffer, wrong: Wrong): Result<SourceText> => {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return wrong({
      code: 'file-unreadable',
      message: 'The file is not a UTF-8 text.',
      expected: 'YAML, encoded as UTF-8',
      got: bytes.includes(0) ? 'binary data or another encoding such as UTF-16' : 'bytes of another encoding',
      help: 'Save the file as UTF-8.',
    });
  }
  if (text.includes('\0')) {
    return wrong({
      code: 'file-unreadable',
      message: 'The file is not text: it contains zero bytes.',
      expected: 'YAML, encoded as UTF-8',
      got: 'binary data',
      help: 'Name a YAML file.',
    });
  }
  if (text.trim() === '') {
    return wrong({
      code: 'file-empty',
      message: 'The file is empty.',
      expected: 'a spec that begins with version: 1',
      got: 'no content',
      help: 'Begin with a copy of one of the specs under experiments/.',
    });
  }
  return success({ name, text });
};

const specsIn = async (folder: string): Promise<string[]> => {
  const names = await readdir(folder).catch(() => []);
  return names.filter((name) => /\.ya?ml$/.test(name)).sort();
};
