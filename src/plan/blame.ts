import type { Diagnostic, Issue, Path, RelatedPlace } from '../diagnostic/diagnostic.ts';
import type { Row } from '../parameters/row.ts';
import { placeAt, writtenPlaces } from '../language/place.ts';
import { formatPath, locate } from '../language/located.ts';
import type { SectionKind } from '../language/sections.ts';
import { bySection } from '../search/grid.ts';
import type { Choice, Point } from '../language/sweep/sweep.ts';
import { withExtends, type Spec } from '../language/validate-spec.ts';
import { writeValue } from '../language/describe.ts';

/** An issue in one section of an unrolled point; its path starts in the section. */
export interface SectionIssue extends Issue {
  readonly section: SectionKind;
}

/** An error in an unrolled point and the choice of the sweep that caused it, if one did. */
export interface Finding extends Diagnostic {
  readonly guilty?: Choice | undefined;
}

/**
 * Turns a mistake in an unrolled point into a message at the place that made it: the value of an axis where one had a
 * part in it, and the spec's own section otherwise.
 */
export const blame = (spec: Spec, point: Point, issue: SectionIssue): Finding => {
  const { section } = issue;
  const path: Path = [section, ...issue.path];
  const choices = bySection(point)[section];
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
  const others = (issue.with ?? []).filter((path) => !swept([section, ...path].join('.')));
  related.push(...writtenPlaces({ with: others }, spec.document.root, [section]));
  let at = issue.onKey ? written.key : written.value;
  if (guilty) {
    const inside = guilty.node && locate(guilty.node, path.slice(guilty.path.length));
    at = inside ? (issue.onKey ? inside.key : inside.value) : guilty.at;
    const fromBase = written.exact && !covers(guilty, path) && !isPrefix(path, guilty.path);
    if (fromBase) related.unshift({ message: `${formatPath(path)} is written here`, at: written.key });
  }
  const help = guilty && issue.help !== undefined ? helpForAxis(spec, issue, guilty) : undefined;
  const diagnostic = placeAt({ ...issue, ...(help !== undefined && { help }) }, at, related);
  const [placed = diagnostic] = withExtends(spec.document, [diagnostic]);
  return { ...placed, guilty };
};

/** A parameter that one of the swept rows does not have belongs under `when`. */
const helpForAxis = (
  { registry }: Spec,
  { section, code, key, path }: SectionIssue,
  guilty: Choice,
): string | undefined => {
  if (path.at(-1) === 'goal' && code === 'conflict')
    return guilty.path.at(-1) === 'goal'
      ? `Remove the axis ${guilty.key}: the goal follows from the metric.`
      : `Remove \`goal\` from ${[section, ...path.slice(0, -1)].join('.')}: it follows from the metric.`;
  if (code !== 'unknown-key' || key === undefined || section === 'train' || guilty.path.length === 1)
    return undefined;
  const rows: Readonly<Record<string, Row>> = registry[section];
  const having = Object.keys(rows).filter((name) =>
    Object.hasOwn(rows[name]?.parameters.properties ?? {}, String(path[0])),
  );
  const rule = `when: [{ if: { ${section}.name: ${having[0] ?? '...'} }, axes: { ${section}.${path.join('.')}: [...] } }]`;
  return guilty.path[1] === 'name'
    ? `Take ${key} out of ${section} and give it to the rows that have it: ${rule}.`
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

/** Collects findings. What several values of one axis do is one mistake; the message has the number of points. */
export const createFindings = (points: number) => {
  const found = new Map<string, Finding & { count: number }>();
  return {
    add: (finding: Finding): void => {
      const { code, at, message, guilty } = finding;
      const key = `${code} ${guilty?.key ?? `${at?.source.name ?? ''} ${at?.start ?? ''}`} ${message}`;
      const known = found.get(key);
      if (known) known.count++;
      else found.set(key, { ...finding, count: 1 });
    },
    list: (): Diagnostic[] =>
      [...found.values()].slice(0, maxShown).map(({ guilty, count, ...diagnostic }) => {
        const setting = guilty ? [`with ${guilty.key}: ${writeValue(guilty.value)}`] : [];
        const share = points > 1 ? [`${count} of ${points} points`] : [];
        const detail = [...setting, ...share].join('; ');
        const message = detail ? `${diagnostic.message.replace(/\.$/, '')} (${detail}).` : diagnostic.message;
        return { ...diagnostic, message };
      }),
  };
};
