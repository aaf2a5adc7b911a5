import { Type } from '@sinclair/typebox';
import type { DatasetRow } from './dataset.ts';
import { checkTable } from './table/check-table.ts';
import { fromTable } from './table/from-table.ts';
import { nestedFormat } from './table/nested-format.ts';
import { tableParameters } from './table/parameters.ts';

const parameters = Type.Object(tableParameters, { additionalProperties: false });

/** Sequences of numbers from Parquet files. */
export const parquetSequences = {
  title: 'Sequences from your own Parquet files',
  description:
    'One row a step (long) or a sequence (wide: a feature is a list with a number, or a list of numbers, for each step). Dates and timestamps are times. Bad rows are reported all at once, with file and number of the row; none is skipped. The first use packs a file into the cache, so files may be larger than the memory.',
  version: 1,
  parameters,
  check: checkTable,
  ...fromTable(nestedFormat('parquet', async () => (await import('./table/read-parquet.ts')).readParquet)),
} as const satisfies DatasetRow<typeof parameters>;
