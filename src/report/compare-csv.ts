import type { Json } from '../system/json.ts';
import { comparisonRows } from './compare-rows.ts';
import type { Comparison } from './compare.ts';

/** One row of CSV for each run, in the order of the comparison; RFC 4180: CRLF, quotes doubled. */
export const comparisonToCsv = (comparison: Comparison): string => {
  const { columns, rows } = comparisonRows(comparison);
  return [columns, ...rows].map((row) => `${row.map(csvField).join(',')}\r\n`).join('');
};

const csvField = (value: Json): string => {
  const text = value === null ? '' : typeof value === 'string' ? value : JSON.stringify(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
};
