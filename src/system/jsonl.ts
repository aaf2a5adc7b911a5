import { ftruncateSync } from 'node:fs';
import { readFully, writeFully } from './files.ts';

/** A whole line of a file, with its newline. */
export interface FileLine {
  readonly bytes: Buffer;
  /** Where the next line starts. */
  readonly end: number;
}

const newline = 10;
const chunkBytes = 64 * 1024;

/**
 * Cuts bytes that come in pieces into whole lines. `rest` is what follows the last newline: no line, because its writer
 * died or is about to finish it.
 */
export const splitLines = (offset = 0) => {
  let rest: Buffer = Buffer.alloc(0);
  let end = offset;
  return {
    *add(piece: Buffer): Generator<FileLine> {
      const bytes = rest.length > 0 ? Buffer.concat([rest, piece]) : piece;
      let start = 0;
      for (let at = bytes.indexOf(newline); at !== -1; at = bytes.indexOf(newline, start)) {
        const line = bytes.subarray(start, at + 1);
        start = at + 1;
        end += line.length;
        yield { bytes: line, end };
      }
      rest = bytes.subarray(start);
    },
    rest: (): Buffer => rest,
  };
};

/** The whole lines of an open file from an offset on. */
export function* linesFrom(file: number, offset = 0): Generator<FileLine> {
  const lines = splitLines(offset);
  for (let at = offset; ; at += chunkBytes) {
    const chunk = Buffer.alloc(chunkBytes);
    const got = readFully(file, chunk, at);
    yield* lines.add(chunk.subarray(0, got));
    if (got < chunkBytes) return;
  }
}

/** A line without its newline. */
export const lineText = ({ bytes }: FileLine): string => bytes.toString('utf8', 0, bytes.length - 1);

/** Cuts a file off after its last sound line, so that the next one starts a line of its own. */
export const cutAfter = (file: number, line: FileLine | undefined): void =>
  ftruncateSync(file, line?.end ?? 0);

/** Appends a value to a file that was opened for appending. */
export const appendLine = (file: number, value: unknown): void =>
  writeFully(file, Buffer.from(`${JSON.stringify(value)}\n`));
