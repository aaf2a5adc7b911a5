import { Type } from '@sinclair/typebox';
import type { DatasetRow } from './dataset.ts';
import { fromTable } from './table/from-table.ts';
import { checkTable } from './table/check-table.ts';
import { nestedFormat } from './table/nested-format.ts';
import { tableParameters } from './table/parameters.ts';

const parameters = Type.Object(tableParameters, { additionalProperties: false });

/** Sequences of numbers from files of JSON lines. */
export const jsonlSequences = {
  title: 'Sequences from your own JSON lines files',
  description:
    'One JSON object a line, and one line a step (long) or a sequence (wide: a feature is a list with a number, or a list of numbers, for each step). Bad rows are reported all at once, with file and line; none is skipped. The first use packs a file into the cache, so files may be larger than the memory.',
  version: 1,
  parameters,
  check: checkTable,
  ...fromTable(nestedFormat('jsonl', async () => (await import('./table/read-jsonl.ts')).readJsonl)),
} as const satisfies DatasetRow<typeof parameters>;
