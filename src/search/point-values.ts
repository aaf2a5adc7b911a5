import type { Registry } from '../registry/rows.ts';
import { namedSections } from '../registry/rows.ts';
import type { Json } from '../system/json.ts';
import { sectionKinds, type JsonMap, type SectionKind } from '../language/sections.ts';
import { trainingEnds } from '../language/train-section.ts';
import { sweepableParameters, type SweepableParameter } from '../language/sweep/parameters.ts';
import type { Choice, Condition, Point, Rule } from '../language/sweep/sweep.ts';

/** What a point's values are added to: the sections outside of the sweep, and the registries' defaults. */
export interface Ground {
  readonly base: Readonly<Record<SectionKind, JsonMap>>;
  readonly parameters: ReadonlyMap<string, readonly SweepableParameter[]>;
}

export const groundOf = (registry: Registry, base: Ground['base']): Ground => ({
  base,
  parameters: sweepableParameters(registry),
});

/** The value at a path of keys, or undefined. */
export const valueIn = (value: Json | undefined, path: readonly string[]): Json | undefined => {
  let inner: Json | undefined = value;
  for (const key of path) {
    if (typeof inner !== 'object' || inner === null || Array.isArray(inner)) return undefined;
    const map = inner as JsonMap;
    inner = Object.hasOwn(map, key) ? map[key] : undefined;
  }
  return inner;
};

/** The value that a path has at a point: chosen by the sweep, written outside of it, or the default. */
const valueAt = (
  ground: Ground,
  point: Point,
  { key, path }: Pick<Condition, 'key' | 'path'>,
): Json | undefined => {
  let chosen: Choice | undefined;
  for (const choice of point) {
    const covers = choice.key === key || key.startsWith(`${choice.key}.`);
    if (covers && choice.path.length >= (chosen?.path.length ?? 0)) chosen = choice;
  }
  const written = chosen ? valueIn(chosen.value, path.slice(chosen.path.length)) : valueIn(ground.base, path);
  if (written !== undefined && written !== null) return written;
  const [kind = ''] = path;
  const named = namedSections.find((one) => one === kind);
  const row = named ? valueAt(ground, point, { key: `${named}.name`, path: [named, 'name'] }) : null;
  return ground.parameters.get(key)?.find((parameter) => parameter.row === row)?.schema.default;
};

/** Whether every condition of a rule holds at a point. */
export const holds = (ground: Ground, point: Point, { conditions }: Rule): boolean =>
  conditions.every((condition) => equal(valueAt(ground, point, condition) ?? null, condition.value));

/** Numbers are equal when they differ in the noise of arithmetic only: 0.1 + 0.2 is 0.3. */
const equal = (a: Json, b: Json): boolean => {
  if (typeof a === 'number' && typeof b === 'number') {
    return a === b || Math.abs(a - b) <= 1e-9 * Math.max(Math.abs(a), Math.abs(b));
  }
  return a === b || (typeof a === 'object' && JSON.stringify(a) === JSON.stringify(b));
};

/** A point's choices by section; within one, whole sections before their parameters. */
export const bySection = (point: Point): Readonly<Record<SectionKind, Choice[]>> => {
  const sections: Record<SectionKind, Choice[]> = {
    dataset: [],
    model: [],
    optimizer: [],
    loss: [],
    train: [],
  };
  for (const choice of point) {
    const kind = sectionKinds.find((one) => one === choice.path[0]);
    if (kind) sections[kind].push(choice);
  }
  for (const kind of sectionKinds) sections[kind].sort((a, b) => a.path.length - b.path.length);
  return sections;
};

/** A section as it would be written for a point, without defaults. */
export const applyChoices = (ground: Ground, kind: SectionKind, choices: readonly Choice[]): JsonMap => {
  let section = ground.base[kind];
  for (const { key, path, value } of choices) {
    if (path.length === 1) {
      section = value as JsonMap;
      continue;
    }
    const inside = path.slice(1);
    if (kind === 'train' && value !== null && trainingEnds.some((end) => end === inside[0])) {
      section = Object.fromEntries(Object.entries(section).filter(([name]) => !isEnd(name)));
    }
    const nullable = (ground.parameters.get(key) ?? []).some(({ schema }) =>
      [schema.type].flat().includes('null'),
    );
    section = withValue(section, inside, value === null && !nullable ? undefined : value);
  }
  return section;
};

const isEnd = (name: string): boolean => trainingEnds.some((end) => end === name);

const withValue = (
  map: JsonMap,
  [key = '', ...rest]: readonly string[],
  value: Json | undefined,
): JsonMap => {
  const { [key]: before, ...others } = map;
  if (rest.length === 0) return value === undefined ? others : { ...map, [key]: value };
  const inner =
    typeof before === 'object' && before !== null && !Array.isArray(before) ? (before as JsonMap) : {};
  return { ...map, [key]: withValue(inner, rest, value) };
};
