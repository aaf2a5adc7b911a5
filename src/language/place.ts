import type { Diagnostic, Issue, Path, RelatedPlace, SourceRange } from '../diagnostic/diagnostic.ts';
import { shellWord } from '../system/proposed-command.ts';
import { formatPath, locate, type Located } from './located.ts';

/** Adds the place where an issue's value is written. `base` is the path of the checked value inside of `root`. */
export const place = (issue: Issue, root: Located, base: Path = []): Diagnostic => {
  const found = locate(root, [...base, ...issue.path]);
  const at = issue.onKey || !found.exact ? found.key : found.value;
  const placed = placeAt(issue, at, writtenPlaces(issue, root, base));
  const { text } = at.source;
  if (text.startsWith('--sweep ')) return { ...placed, ...helpInSweep(placed.help, issue) };
  if (!text.startsWith('--set ')) return placed;
  if (issue.code === 'unknown-key' && issue.nearest !== undefined) {
    const path = [...base, ...issue.path];
    const meant = text
      .slice('--set '.length)
      .replace(path.join('.'), [...path.slice(0, -1), issue.nearest].join('.'));
    return { ...placed, help: `Did you mean ${issue.nearest}? Write \`--set ${shellWord(meant)}\`.` };
  }
  const missing = issue.code === 'missing-key' && issue.key !== undefined ? [issue.key] : [];
  const help = afterSet(placed.help, [...base, ...issue.path, ...missing]);
  return { ...placed, ...(help !== undefined && { help }) };
};

/** The text to write, `dropout: 0.1`, as one of the values after `--sweep`. */
const helpInSweep = (help: string | undefined, { path }: Issue): Pick<Diagnostic, 'help'> => ({
  ...(help !== undefined && {
    help: help.replace(/`[\w.-]+: ([^`]*)`/g, (whole, value: string) => (path.length === 0 ? value : whole)),
  }),
});

/** The text to write, `dropout: 0.1`, as it is written after `--set`. */
const afterSet = (help: string | undefined, path: Path): string | undefined => {
  const key = path.at(-1);
  return help?.replace(/`([\w.-]+): ([^`]*)`/g, (whole, name: string, value: string) =>
    name === key ? `\`--set ${shellWord(`${path.join('.')}=${value}`)}\`` : whole,
  );
};

export const placeAt = (issue: Issue, at: SourceRange, related: readonly RelatedPlace[]): Diagnostic => {
  const { code, message, expected, got, nearest, more } = issue;
  const help = helpAt(issue, at);
  return {
    code,
    severity: 'error',
    message,
    at,
    ...(expected !== undefined && { expected }),
    ...(got !== undefined && { got }),
    ...(nearest !== undefined && { nearest }),
    ...(related.length > 0 && { related }),
    ...(help !== undefined && { help }),
    ...(more !== undefined && { more }),
  };
};

/** Puts quotes around what is written, `007`, rather than around the number that YAML reads. */
const helpAt = ({ help, inQuotes }: Issue, { source, start, end }: SourceRange): string | undefined => {
  if (inQuotes === undefined) return help;
  const written = source.text.slice(start, end);
  const { value, pattern } = inQuotes;
  const fits = /^\S+$/.test(written) && (pattern === undefined || new RegExp(pattern).test(written));
  return fits ? help?.replace(JSON.stringify(value), () => JSON.stringify(written)) : help;
};

/** The places of the other settings of an issue. A default is written nowhere. */
export const writtenPlaces = (issue: Pick<Issue, 'with'>, root: Located, base: Path): RelatedPlace[] =>
  (issue.with ?? []).flatMap((path) => {
    const found = locate(root, [...base, ...path]);
    return found.exact ? [{ message: `${formatPath(path)} is written here`, at: found.key }] : [];
  });
