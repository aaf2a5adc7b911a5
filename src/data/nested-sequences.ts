import { Type } from '@sinclair/typebox';
import type { DatasetRow } from './dataset.ts';
import { checkTable } from './table/check-table.ts';
import { fromTable } from './table/from-table.ts';
import type { TableFormat } from './table/ensure-pack.ts';
import { settled, tableParameters, type TableParameters } from './table/parameters.ts';

const parameters = Type.Object(tableParameters, { additionalProperties: false });

/** Sequences of numbers from files whose rows can hold lists. `load` loads the module that reads them. */
const nestedSequences = (kind: 'jsonl' | 'parquet', load: () => Promise<TableFormat['read']>) => ({
  version: 1,
  parameters,
  check: checkTable,
  ...fromTable(async (chosen: TableParameters): Promise<TableFormat> => {
    const [read, { longSink }, { nestedSink }] = await Promise.all([
      load(),
      import('./table/long.ts'),
      import('./table/nested.ts'),
    ]);
    return {
      settings: settled(chosen),
      read,
      layOut: chosen.layout === 'long' ? longSink : nestedSink,
      key: [kind],
    };
  }),
});

export const jsonlSequences = {
  title: 'Sequences from your own JSON lines files',
  description:
    'One JSON object a line, and one line a step (long) or a sequence (wide: a feature is a list with a number, or a list of numbers, for each step). The columns are the keys of the first object; name others that only later ones have with features. Bad rows are reported all at once, with file and line; none is skipped. The first use packs a file into the cache, so files may be larger than the memory.',
  ...nestedSequences('jsonl', async () => (await import('./table/read-jsonl.ts')).readJsonl),
} as const satisfies DatasetRow<typeof parameters>;

export const parquetSequences = {
  title: 'Sequences from your own Parquet files',
  description:
    'One row a step (long) or a sequence (wide: a feature is a list with a number, or a list of numbers, for each step). Dates and timestamps are times. Bad rows are reported all at once, with file and number of the row; none is skipped. The first use packs a file into the cache, so files may be larger than the memory.',
  ...nestedSequences('parquet', async () => (await import('./table/read-parquet.ts')).readParquet),
} as const satisfies DatasetRow<typeof parameters>;
