import { DataError } from '../dataset.ts';
import type { DataFile } from '../files.ts';

/** Collects what is wrong with the rows of a file, to say it all at once. */
export interface RowProblems {
  /** Lines are counted from 1. Reports of the same line are joined. */
  readonly report: (line: number, message: string) => void;
  readonly count: () => number;
  /** Throws a `DataError` that names the file and its bad rows, when there are any. */
  readonly throwIfAny: () => void;
}

/** Shown at most; the others are counted. */
const limit = 20;

export const collectProblems = ({ name, parameter }: Pick<DataFile, 'name' | 'parameter'>): RowProblems => {
  const first = new Map<number, string>();
  let count = 0;
  let lastLine = 0;
  return {
    report: (line, message) => {
      if (line !== lastLine) count++;
      lastLine = line;
      const known = first.get(line);
      if (known !== undefined) first.set(line, `${known}; ${message}`);
      else if (first.size < limit) first.set(line, message);
    },
    count: () => count,
    throwIfAny: () => {
      if (count === 0) return;
      const lines = [...first]
        .sort(([a], [b]) => a - b)
        .map(([line, message]) => `  ${name}:${line}: ${message}`);
      if (count > first.size) lines.push(`  and ${count - first.size} more.`);
      const rows = count === 1 ? 'a row' : `${count} rows`;
      const summary = `${name} has ${rows} that cannot be used:`;
      const message = [summary, ...lines].join('\n');
      throw new DataError(message, [
        {
          path: parameter,
          message,
          expected: 'a file whose rows can all be used',
          got: rows.replace(/^a /, 'one ') + ' that cannot',
          help: 'Mend these rows, or take them out of the file. No row is ever skipped.',
        },
      ]);
    },
  };
};
