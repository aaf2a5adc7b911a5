import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Rows of a small table, of two steps for each sequence. */
const rows = Array.from({ length: 40 }, (_, at) => `${at >> 1},0.${at},${at & 2 ? 'up' : 'down'}\n`).join('');

/**
 * Writes a sweep with data of its own: `specs/spec.yaml`, with more sections if given, and `tables/rows.csv`. Returns the
 * folder of the spec and the text of the table.
 */
export const writeTableSweep = (
  folder: string,
  more = '',
): { readonly specs: string; readonly table: string; readonly file: string } => {
  const specs = join(folder, 'specs');
  const tables = join(folder, 'tables');
  mkdirSync(specs);
  mkdirSync(tables);
  const table = `id,x,label\n${rows}`;
  const file = join(tables, 'rows.csv');
  writeFileSync(file, table);
  writeFileSync(
    join(specs, 'spec.yaml'),
    `
version: 1
name: trial
dataset: { name: csv-sequences, file: ../tables/rows.csv, sequence: id, features: [x], targets: [label] }
model: { name: gru, hiddenSize: 4 }
optimizer: { name: adam }
train: { batchSize: 4, steps: 5 }
run: { threadsPerRun: 1 }
${more}`,
  );
  return { specs, table, file };
};
