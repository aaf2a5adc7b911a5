import type { DataFile } from '../files.ts';
import type { RowProblems } from './problems.ts';

/**
 * Takes the rows of a table one by one. It names the columns it wants once, and then gets their cells in that order:
 * texts from CSV, any JSON value (or undefined) from JSON lines. The array is used again for the next row.
 */
export interface RowSink {
  readonly columns: readonly string[];
  readonly add: (cells: readonly unknown[], line: number) => void;
  /** After the last row. */
  readonly end: () => void;
}

/** Reads a table of any size row by row. `begin` is called once, with the columns that the file has. */
export type TableReader = (
  file: DataFile,
  begin: (available: readonly string[]) => RowSink,
  problems: RowProblems,
) => Promise<void>;
