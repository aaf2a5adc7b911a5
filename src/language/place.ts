import type { Diagnostic, Issue, Path, RelatedPlace, SourceRange } from '../diagnostic/diagnostic.ts';
import { formatPath, locate, type Located } from './located.ts';

/** Adds the place where an issue's value is written. `base` is the path of the checked value inside of `root`. */
export const place = (issue: Issue, root: Located, base: Path = []): Diagnostic => {
  const found = locate(root, [...base, ...issue.path]);
  const at = issue.onKey || !found.exact ? found.key : found.value;
  return placeAt(issue, at, writtenPlaces(issue, root, base));
};

export const placeAt = (
  { code, message, expected, got, nearest, help }: Issue,
  at: SourceRange,
  related: readonly RelatedPlace[],
): Diagnostic => ({
  code,
  severity: 'error',
  message,
  at,
  ...(expected !== undefined && { expected }),
  ...(got !== undefined && { got }),
  ...(nearest !== undefined && { nearest }),
  ...(related.length > 0 && { related }),
  ...(help !== undefined && { help }),
});

/** The places of the other settings of an issue. A default is written nowhere. */
export const writtenPlaces = (issue: Pick<Issue, 'with'>, root: Located, base: Path): RelatedPlace[] =>
  (issue.with ?? []).flatMap((path) => {
    const found = locate(root, [...base, ...path]);
    return found.exact ? [{ message: `${formatPath(path)} is written here`, at: found.key }] : [];
  });
