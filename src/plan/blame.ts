import type { Diagnostic, RelatedPlace } from '../diagnostic/diagnostic.ts';
import type { Row } from '../parameters/row.ts';
import { writtenPlaces, type SchemaIssue } from '../language/check.ts';
import { formatPath, locate, type Path } from '../language/located.ts';
import type { SectionKind } from '../language/sections.ts';
import { bySection } from '../search/point-values.ts';
import type { Choice, Point } from '../language/sweep/sweep.ts';
import { withExtends, type Spec } from '../language/validate-spec.ts';
import { writeValue } from '../language/describe.ts';

/** A mistake in one section of an unrolled point. */
export interface SectionIssue {
  readonly kind: SectionKind;
  readonly issue: SchemaIssue;
}

/** A mistake and the choice of the sweep that made it, if one did. */
export interface Finding {
  readonly diagnostic: Diagnostic;
  readonly guilty?: Choice | undefined;
}

/**
 * Turns a mistake in an unrolled point into a message at the place that made it: the value of an axis where one had a
 * part in it, and the spec's own section otherwise.
 */
export const blame = (spec: Spec, point: Point, { kind, issue }: SectionIssue): Finding => {
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
  const swept = (path: string) => choices.some(({ key }) => key === path);
  const others = (issue.with ?? []).filter((path) => !swept([kind, ...path].join('.')));
  related.push(...writtenPlaces({ ...issue, with: others }, spec.document.root, [kind]));
  let at = issue.onKey ? written.key : written.value;
  if (guilty) {
    const inside = guilty.node && locate(guilty.node, path.slice(guilty.path.length));
    at = inside ? (issue.onKey ? inside.key : inside.value) : guilty.at;
    const fromBase = written.exact && !covers(guilty, path) && !isPrefix(path, guilty.path);
    if (fromBase) related.unshift({ message: `${formatPath(path)} is written here`, at: written.key });
  }
  const { code, message, expected, got, nearest, help } = issue;
  const diagnostic: Diagnostic = {
    code,
    severity: 'error',
    message,
    at,
    ...(expected !== undefined && { expected }),
    ...(got !== undefined && { got }),
    ...(nearest !== undefined && { nearest }),
    ...(related.length > 0 && { related }),
    ...(help !== undefined && { help: guilty ? (helpForAxis(spec, { kind, issue, guilty }) ?? help) : help }),
  };
  const [placed = diagnostic] = withExtends(spec.document, [diagnostic]);
  return { diagnostic: placed, guilty };
};

/** A parameter that one of the swept rows does not have belongs under `when`. */
const helpForAxis = (
  { registry }: Spec,
  { kind, issue, guilty }: SectionIssue & { readonly guilty: Choice },
): string | undefined => {
  if (issue.code !== 'unknown-key' || issue.key === undefined || kind === 'train' || guilty.path.length === 1)
    return undefined;
  const rows: Readonly<Record<string, Row>> = registry[kind];
  const having = Object.keys(rows).filter((name) =>
    Object.hasOwn(rows[name]?.parameters.properties ?? {}, String(issue.path[0])),
  );
  const rule = `when: [{ if: { ${kind}.name: ${having[0] ?? '...'} }, axes: { ${kind}.${issue.path.join('.')}: [...] } }]`;
  return guilty.path[1] === 'name'
    ? `Take ${issue.key} out of ${kind} and give it to the rows that have it: ${rule}.`
    : `Move the axis to the rows that have it: ${rule}.`;
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

/** Collects findings. What several values of one axis do is one mistake; the message says for how many points. */
export const createFindings = (points: number) => {
  const found = new Map<string, Finding & { count: number }>();
  return {
    add: ({ diagnostic, guilty }: Finding): void => {
      const { code, at, message } = diagnostic;
      const key = `${code} ${guilty?.key ?? `${at?.source.name ?? ''} ${at?.start ?? ''}`} ${message}`;
      const known = found.get(key);
      if (known) known.count++;
      else found.set(key, { diagnostic, guilty, count: 1 });
    },
    list: (): Diagnostic[] =>
      [...found.values()].slice(0, maxShown).map(({ diagnostic, guilty, count }) => {
        const setting = guilty ? [`with ${guilty.key}: ${writeValue(guilty.value)}`] : [];
        const share = points > 1 ? [`${count} of ${points} points`] : [];
        const detail = [...setting, ...share].join('; ');
        const message = detail ? `${diagnostic.message.replace(/\.$/, '')} (${detail}).` : diagnostic.message;
        return { ...diagnostic, message };
      }),
  };
};
