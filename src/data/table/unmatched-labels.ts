import type { ParameterIssue } from '../../parameters/row.ts';
import { stemOf, type LabelRows } from './join.ts';
import type { Pack } from './pack.ts';
import type { TableSettings } from './parameters.ts';

/** Rows of `labelsFile` that belong to no sequence; plain JSON. */
export interface UnmatchedLabels {
  readonly count: number;
  readonly rows: number;
  /** The first of them. */
  readonly keys: readonly string[];
  /** Of the first one. */
  readonly line: number;
}

const mostNamed = 5;

/** Finds the rows of a second table whose sequence none of the packs has. */
export const unmatchedLabels = (
  { sequence }: TableSettings,
  labels: LabelRows | undefined,
  packs: readonly Pack[],
): { readonly unmatched?: UnmatchedLabels } => {
  if (!labels) return {};
  const names = new Set([...new Set(packs)].flatMap((pack) => pack.names()));
  const isThere = (key: string) => names.has(key) || (sequence === null && names.has(stemOf(key)));
  const missing = [...labels.cells.keys()].filter((key) => !isThere(key));
  const [first] = missing;
  if (first === undefined) return {};
  const line = labels.lines.get(first) ?? 1;
  const keys = missing.slice(0, mostNamed);
  return { unmatched: { count: missing.length, rows: labels.cells.size, keys, line } };
};

export const unmatchedWarning = (
  { file, labelsFile, sequence }: TableSettings,
  { count, rows, keys, line }: UnmatchedLabels,
): ParameterIssue => {
  const more = count - keys.length;
  const what = sequence === null ? 'file' : 'sequence';
  return {
    path: 'labelsFile',
    message: `${labelsFile ?? ''}:${line}: ${count === 1 ? 'a row belongs' : `${count} rows belong`} to no ${what} of ${file}: ${keys.map((key) => JSON.stringify(key)).join(', ')}${more > 0 ? ` and ${more} more` : ''}.`,
    expected: `a ${what} for each row`,
    got: `${rows - count} of ${rows} rows with a ${what}`,
    help: `Look for a ${what} that is missing or has another name. Rows without one are not used.`,
  };
};
