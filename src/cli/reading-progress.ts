import type { ReadProgress } from '../data/dataset.ts';
import { rewriteLine, writeText } from '../terminal/output.ts';
import { formatBytes, formatDuration } from '../terminal/format.ts';

/** A file that is read faster than this is not worth a word. */
const quietMs = 1000;

/** Between two lines into a pipe, and between two changes of a line on a terminal. */
const everyMs = { pipe: 10_000, terminal: 200 } as const;

export interface ReadingProgress {
  readonly listen: (progress: ReadProgress) => void;
  /** Removes the line from the terminal. */
  readonly end: () => void;
}

/** Shows on a stream how far a large file is read: one line that changes on a terminal, a line now and then in a pipe. */
export const showReading = (
  stream: Pick<NodeJS.WriteStream, 'isTTY' | 'write'>,
  now: () => number = () => performance.now(),
): ReadingProgress => {
  const live = stream.isTTY;
  let file: { readonly key: string; readonly startedAt: number } | undefined;
  let shownAt = -Infinity;
  let standing = false;
  const end = () => {
    if (standing) rewriteLine(stream, '');
    standing = false;
  };
  return {
    listen: (progress) => {
      const key = `${progress.activity} ${progress.name}`;
      const at = now();
      if (file?.key !== key) file = { key, startedAt: at };
      const elapsed = at - file.startedAt;
      if (progress.readBytes === progress.totalBytes) {
        end();
        return;
      }
      if (elapsed < quietMs || at - shownAt < (live ? everyMs.terminal : everyMs.pipe)) return;
      shownAt = at;
      standing = live;
      const line = readingLine(progress, elapsed);
      if (live) rewriteLine(stream, line);
      else writeText(stream, `${line}\n`);
    },
    end,
  };
};

/** `packing data.csv: 35% of 1.0 GB, 40s left` */
const readingLine = ({ activity, name, readBytes, totalBytes }: ReadProgress, elapsedMs: number): string => {
  const left = (elapsedMs * (totalBytes - readBytes)) / readBytes;
  return `${activity} ${name}: ${Math.floor((100 * readBytes) / totalBytes)}% of ${formatBytes(totalBytes)}, ${formatDuration(left)} left`;
};
