import { writeFully } from './files.ts';
import { onFile } from './system-error.ts';

/**
 * Lines that come faster than this are written together. A process that is killed loses at most so much, all of it after
 * the last checkpoint: a resumed run takes those steps again.
 */
const writeEveryMs = 50;

/** Appends lines to an open file, many at a time where they come fast: each call of the system costs a step its time. */
export interface LineWriter {
  /** A string without its newline. */
  readonly add: (line: string) => void;
  /** Writes what waits to be written. */
  readonly write: () => void;
}

export const openLineWriter = (file: number, path: string): LineWriter => {
  let waiting = '';
  let writtenAt = Number.NEGATIVE_INFINITY;
  const write = () => {
    writtenAt = performance.now();
    if (waiting === '') return;
    const lines = Buffer.from(waiting);
    waiting = '';
    onFile(path, () => writeFully(file, lines));
  };
  return {
    write,
    add: (line) => {
      waiting += `${line}\n`;
      if (performance.now() - writtenAt >= writeEveryMs) write();
    },
  };
};
