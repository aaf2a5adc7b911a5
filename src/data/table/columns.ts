import { nearest } from '../../diagnostic/nearest.ts';
import type { ParameterIssue } from '../../parameters/row.ts';
import { DataError, sentenceOf } from '../dataset.ts';
import type { TableParameters } from './parameters.ts';

/** Columns that a spec names, by the parameter that names them. */
export type NamedColumns = Readonly<Record<string, readonly (string | null)[]>>;

/** The features: those that are named, or every column that is not used otherwise. */
export const featureColumns = (
  features: TableParameters['features'],
  available: readonly string[],
  others: NamedColumns,
): readonly string[] => {
  const used = new Set(Object.values(others).flat());
  const chosen = features ?? available.filter((column) => !used.has(column));
  if (chosen.length > 0) return chosen;
  const message = `No column is left for the features: the file has ${listed(available)}.`;
  throw new DataError(
    {
      path: 'features',
      message,
      expected: 'at least one column of numbers',
      help: 'Name the feature columns.',
    },
    { message },
  );
};

/** Only for this many names is it worth looking for the ones that were meant. */
export const mostSuggestions = 20;

/** The parameters that are lists of columns. */
const listParameters: ReadonlySet<string> = new Set(['features', 'targets', 'static']);

/** Throws a `DataError` that names every column of the spec which the file `name` does not have. */
export const checkColumns = (name: string, available: readonly string[], named: NamedColumns): void => {
  const issues: ParameterIssue[] = [];
  const there = new Set(available);
  for (const [path, columns] of Object.entries(named)) {
    for (const [index, column] of columns.entries()) {
      if (column === null || there.has(column)) continue;
      const similar = issues.length < mostSuggestions ? nearest(column, available) : undefined;
      issues.push({
        path: listParameters.has(path) ? `${path}.${index}` : path,
        message: `${name} has no column ${JSON.stringify(column)}.`,
        expected: `one of ${listed(available)}`,
        help: similar
          ? `Did you mean ${JSON.stringify(similar)}?`
          : 'Names are compared letter by letter, with upper and lower case.',
      });
    }
  }
  if (issues.length === 0) return;
  const lines = [...issues.map(sentenceOf), `Its columns are ${listed(available)}.`];
  throw new DataError(issues, { message: lines.join('\n') });
};

export const listed = (columns: readonly string[]): string => {
  const shown = columns.slice(0, 20).map((column) => JSON.stringify(column));
  return columns.length > shown.length
    ? `${shown.join(', ')} and ${columns.length - shown.length} more`
    : shown.join(', ');
};

/** Throws a `DataError` for columns that a parameter names at `path` and that are not among the inputs. */
export const checkNamedFeatures = (
  inputs: readonly string[],
  named: readonly { readonly column: string; readonly path: string }[],
): void => {
  const there = new Set(inputs);
  const issues = named
    .filter(({ column }) => !there.has(column))
    .slice(0, mostSuggestions)
    .map(({ column, path }): ParameterIssue => {
      const similar = nearest(column, inputs);
      return {
        path,
        message: `${JSON.stringify(column)} is not an input.`,
        expected: `one of ${listed(inputs)}`,
        help:
          similar === undefined
            ? 'Remove it, or name it in features or static, too.'
            : `Did you mean ${JSON.stringify(similar)}?`,
      };
    });
  if (issues.length > 0) throw new DataError(issues);
};
