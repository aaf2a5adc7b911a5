import { parquetWriteBuffer, type BasicType } from 'hyparquet-writer';
import type { Json } from '../system/json.ts';
import { comparisonRows } from './compare-rows.ts';
import type { Comparison } from './compare.ts';

/** Columns of whole numbers, whatever their values. */
const wholeNumbers: ReadonlySet<string> = new Set(['group', 'rank', 'fold', 'seed', 'steps']);

/**
 * The table of `comparisonRows` as an Apache Parquet file. A column of numbers is DOUBLE (INT32 for groups, ranks, seeds
 * and steps), of truth values BOOLEAN; settings of several kinds, and lists, are texts as in CSV.
 */
export const comparisonToParquet = (comparison: Comparison): Uint8Array => {
  const { columns, rows } = comparisonRows(comparison);
  const columnData = columns.map((name, at) => {
    const values = rows.map((row) => row[at] ?? null);
    const type = typeOf(name, values);
    const data = type === 'STRING' ? values.map(asText) : values;
    return { name, data, type, nullable: true };
  });
  return new Uint8Array(parquetWriteBuffer({ columnData }));
};

const typeOf = (name: string, values: readonly Json[]): BasicType => {
  const kinds = new Set(values.filter((value) => value !== null).map((value) => typeof value));
  const [kind = 'string'] = kinds;
  if (kinds.size > 1) return 'STRING';
  if (kind === 'boolean') return 'BOOLEAN';
  if (kind !== 'number') return 'STRING';
  const small = (value: Json) => value === null || Math.abs(Number(value)) < 2 ** 31;
  return wholeNumbers.has(name) && values.every(small) ? 'INT32' : 'DOUBLE';
};

const asText = (value: Json): string | null =>
  value === null || typeof value === 'string' ? value : JSON.stringify(value);
