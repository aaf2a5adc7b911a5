import { textIn } from '../columns/cells.ts';
import { isMissing } from '../columns/missing.ts';
import {
  firstCsvRows,
  isNumbers,
  timeColumn,
  type Cells,
  type GuessedSettings,
} from '../series/guess-columns.ts';

const sequenceNames = /^(id|seq|sequence|session|series|.*[_ -]?id)$/i;
const targetNames = /^(label|class|target|y|state|category)$/i;

/** More different numbers than that are quantities, not classes. */
const mostClasses = 20;

/** The settings that fit the first rows of a table with one row a step; none where no column separates sequences. */
export const guessTableSettings = (path: string): GuessedSettings => {
  const { rows, ...marks } = firstCsvRows(path);
  const columns = Object.keys(rows[0] ?? {});
  const sequences = columns.filter((column) => isInRuns(rows, column));
  const sequence = sequences.find((column) => sequenceNames.test(column));
  if (sequence === undefined) return {};
  const others = columns.filter((column) => column !== sequence);
  const constant = others.filter((column) => isConstant(rows, sequence, column));
  const target = constant.find((column) => targetNames.test(column)) ?? constant.at(-1);
  if (target === undefined) return {};
  const order = timeColumn(
    rows,
    others.filter((column) => !constant.includes(column)),
  );
  const features = others.filter((column) => column !== target && column !== order);
  const categorical = features.filter((column) => !isNumbers(rows, column));
  const fixed = features.filter((column) => constant.includes(column));
  const isRegression = isNumbers(rows, target) && different(rows, target) > mostClasses;
  return {
    ...marks,
    sequence,
    ...(order !== undefined && { order }),
    targets: [target],
    ...(isRegression && { task: 'regression' }),
    ...(fixed.length > 0 && { static: fixed }),
    ...(categorical.length > 0 && { categorical }),
    ...(rows.some((row) => features.some((column) => isMissing(row[column]))) && { missing: 'interpolate' }),
  };
};

const different = (rows: readonly Cells[], column: string): number =>
  new Set(rows.map((row) => textIn(row[column]))).size;

/** Whether the rows of each value are adjacent, and some values have several. */
const isInRuns = (rows: readonly Cells[], column: string): boolean => {
  const runs = rows.filter((row, at) => textIn(row[column]) !== textIn(rows[at - 1]?.[column])).length;
  const values = different(rows, column);
  return values > 1 && values < rows.length && runs === values;
};

const isConstant = (rows: readonly Cells[], sequence: string, column: string): boolean => {
  const values = new Map<string, string>();
  return rows.every((row) => {
    const [id, value] = [textIn(row[sequence]), textIn(row[column])];
    const known = values.get(id) ?? value;
    values.set(id, known);
    return known === value;
  });
};
