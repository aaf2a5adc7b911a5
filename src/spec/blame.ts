import type { Diagnostic, RelatedPlace } from '../diagnostic/diagnostic.ts';
import type { SchemaIssue } from './check.ts';
import { formatPath, locate, type Path } from './located.ts';
import type { SectionKind } from './sections.ts';
import { bySection } from './sweep/point-values.ts';
import type { Choice, Point } from './sweep/sweep.ts';
import { withExtends, type Spec } from './validate-spec.ts';
import { writeValue } from './describe.ts';

/** A mistake in one section of an unrolled point. */
export interface SectionIssue {
  readonly kind: SectionKind;
  readonly issue: SchemaIssue;
}

/**
 * Turns a mistake in an unrolled point into a message at the place that made it: the value of an axis where one had a
 * part in it, and the spec's own section otherwise.
 */
export const blame = (spec: Spec, point: Point, { kind, issue }: SectionIssue): Diagnostic => {
  const path: Path = [kind, ...issue.path];
  const choices = bySection(point)[kind];
  const guilty = guiltyChoice(choices, path);
  const written = locate(spec.document.root, path);
  const related: RelatedPlace[] = choices
    .filter((choice) => choice !== guilty)
    .slice(0, 3)
    .map((choice) => ({
      message: `together with ${choice.key}: ${writeValue(choice.value)}`,
      at: choice.at,
    }));
  let at = issue.onKey ? written.key : written.value;
  if (guilty) {
    const inside = guilty.node && locate(guilty.node, path.slice(guilty.path.length));
    at = inside ? (issue.onKey ? inside.key : inside.value) : guilty.at;
    const fromBase = written.exact && !covers(guilty, path) && !isPrefix(path, guilty.path);
    if (fromBase) related.unshift({ message: `${formatPath(path)} is written here`, at: written.key });
  }
  const { code, message, expected, got, nearest, help } = issue;
  const [diagnostic] = withExtends(spec.document, [
    {
      code,
      severity: 'error',
      message: guilty ? `${message} (with ${guilty.key}: ${writeValue(guilty.value)})` : message,
      at,
      ...(expected !== undefined && { expected }),
      ...(got !== undefined && { got }),
      ...(nearest !== undefined && { nearest }),
      ...(related.length > 0 && { related }),
      ...(help !== undefined && { help }),
    },
  ]);
  return diagnostic as Diagnostic;
};

const covers = (choice: Choice, path: Path): boolean => isPrefix(choice.path, path);

const isPrefix = (short: Path, long: Path): boolean =>
  short.length <= long.length && short.every((part, index) => long[index] === part);

/** The choice that set the path, else one inside of it, else the one of the section's name, else the last one. */
const guiltyChoice = (choices: readonly Choice[], path: Path): Choice | undefined =>
  choices.findLast((choice) => covers(choice, path)) ??
  choices.findLast((choice) => isPrefix(path, choice.path)) ??
  choices.find((choice) => choice.path[1] === 'name') ??
  choices.at(-1);

const maxShown = 40;

/** Collects messages, each once however many points it is true for, and says for how many. */
export const createFindings = (points: number) => {
  const found = new Map<string, { diagnostic: Diagnostic; count: number }>();
  return {
    add: (diagnostic: Diagnostic): void => {
      const { code, at, message } = diagnostic;
      const key = `${code} ${at?.source.name ?? ''} ${at?.start ?? ''} ${message}`;
      const known = found.get(key);
      if (known) known.count++;
      else found.set(key, { diagnostic, count: 1 });
    },
    list: (): Diagnostic[] => {
      const all = [...found.values()].map(({ diagnostic, count }) =>
        points > 1
          ? { ...diagnostic, message: `${diagnostic.message} This concerns ${count} of ${points} points.` }
          : diagnostic,
      );
      return all.slice(0, maxShown);
    },
  };
};
