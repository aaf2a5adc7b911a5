import type { ParameterIssue } from '../parameters/row.ts';
import { nearest } from '../diagnostic/nearest.ts';
import { mostSuggestions } from '../data/table/columns.ts';
import { fitsWildcards } from '../system/wildcards.ts';

/** The variables that one of the patterns fits: `*` is any number of characters, `/` included, and `?` is one. */
export const chosenVariables = (
  patterns: readonly string[] | undefined,
  names: readonly string[],
): ReadonlySet<string> =>
  new Set(names.filter((name) => (patterns ?? []).some((pattern) => fitsWildcards(pattern, name))));

/** An issue for each pattern of a list in `train` that fits no variable of the network. */
export const checkPatterns = (
  key: 'freeze' | 'reinitialize',
  patterns: readonly string[] | undefined,
  names: readonly string[],
): readonly ParameterIssue[] =>
  (patterns ?? []).flatMap((pattern, at) => {
    if (names.some((name) => fitsWildcards(pattern, name))) return [];
    const near = at < mostSuggestions ? nearest(pattern, names) : undefined;
    return [
      {
        path: `${key}.${at}`,
        message: `No variable of the network fits ${JSON.stringify(pattern)}.`,
        expected: names.join(', '),
        help:
          near === undefined
            ? 'Write the name of a variable, or a pattern such as "layer1/*".'
            : `Did you mean ${near}?`,
      },
    ];
  });
