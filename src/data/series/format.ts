import type { TableReader } from '../table/rows.ts';
import type { SeriesParameters } from './parameters.ts';

/** How the file of a dataset is read. */
export interface SeriesFormat {
  readonly parameters: SeriesParameters;
  readonly read: TableReader;
  readonly kind: 'csv' | 'jsonl' | 'parquet';
  /** How a number is read from a cell; absent: with a point before its decimals. */
  readonly numberIn?: (cell: unknown) => number;
  /** What else decides how the bytes of the file become rows; plain JSON. */
  readonly key: unknown;
}
