import type { Json } from '../system/json.ts';
import { csvField } from '../system/csv-field.ts';
import { comparisonRows } from './compare-rows.ts';
import type { Comparison } from './compare.ts';

/** One row of CSV for each run, in the order of the comparison; RFC 4180: CRLF, quotes doubled. */
export const comparisonToCsv = (comparison: Comparison): string => {
  const { columns, rows } = comparisonRows(comparison);
  return [columns, ...rows].map((row) => `${row.map(csvValue).join(',')}\r\n`).join('');
};

const csvValue = (value: Json): string =>
  value === null ? '' : csvField(typeof value === 'string' ? value : JSON.stringify(value));
