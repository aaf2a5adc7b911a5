import { readRegularText } from '../../system/files.ts';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { SourceRange, SourceText } from '../../diagnostic/diagnostic.ts';
import type { RowOrigin } from '../../parameters/row.ts';

/** A file as messages call it: from the working directory, where it lies below that. */
export const shownPath = (file: string): string => {
  const path = relative(process.cwd(), file);
  return path.startsWith('..') ? file : path;
};

export const sourceOf = (file: string): SourceText => {
  try {
    return { name: shownPath(file), text: readRegularText(file) };
  } catch {
    return { name: shownPath(file), text: '' };
  }
};

/** The offset of a line (from 1) and a column (from 0). */
export const offsetOf = (text: string, line: number, column: number): number => {
  let start = 0;
  for (let at = 1; at < line; at++) {
    const newline = text.indexOf('\n', start);
    if (newline === -1) break;
    start = newline + 1;
  }
  return start + column;
};

/** The first line of a file that is neither empty nor a comment. */
export const fileStart = (file: string): SourceRange => {
  const source = sourceOf(file);
  const [line = ''] = source.text.split('\n', 1);
  return { source, start: 0, end: Math.max(1, line.trimEnd().length) };
};

/** Where a string first appears in a file, or the file's first line. */
export const placeOfText = (file: string, wanted: RegExp): SourceRange => {
  const source = sourceOf(file);
  const found = wanted.exec(source.text);
  return found ? { source, start: found.index, end: found.index + found[0].length } : fileStart(file);
};

/** A place in a file of the given ones that an error came from, by its stack; `line` from 1, `column` from 1. */
export const placeInStack = (
  error: unknown,
  files: ReadonlySet<string>,
): { readonly file: string; readonly line: number; readonly column: number } | undefined => {
  if (!(error instanceof Error)) return undefined;
  for (const frame of (error.stack ?? '').split('\n')) {
    const [, path = '', line = '', column = ''] =
      /\(?((?:file:\/\/)?\/?[^()\s][^()]*):(\d+):(\d+)\)?$/.exec(frame.replace(/^\s*at (async )?/, '')) ?? [];
    const file = path.startsWith('file:') ? fileURLToPath(path) : path.replace(/^.*? \(/, '');
    if (files.has(file)) return { file, line: Number(line), column: Number(column) };
  }
  return undefined;
};

/** Where a definition comes from, and the files in which its mistakes may be. */
export interface Origin extends RowOrigin {
  readonly files: ReadonlySet<string>;
}

/** Adds to an error in the user's code what was at work and the line that threw. */
export const blamed = (error: unknown, what: string, { file, files }: Origin): string => {
  const found = placeInStack(error, files);
  const place = found ? `${shownPath(found.file)}:${found.line}:${found.column}` : shownPath(file);
  return `${what} (${place}): ${error instanceof Error ? error.message : String(error)}`;
};
