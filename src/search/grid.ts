import { failure, success, type Diagnostic, type Result } from '../diagnostic/diagnostic.ts';
import {
  type Dimension,
  type Point,
  type Sweep,
  type Choice,
  type Condition,
  type Rule,
  sweepableParameters,
  type SweepableParameter,
} from '../language/sweep/sweep.ts';
import { namedSections, type Registry } from '../registry/rows.ts';
import type { Json } from '../system/json.ts';
import { sectionKinds, type JsonMap, type SectionKind } from '../language/sections.ts';
import { trainingEnds } from '../language/train-section.ts';
import { isObject } from '../system/json.ts';

/** Most points that are examined; a plan has far fewer. */
export const maxPoints = 1_000_000;

/** Most points with the axes of `when` rules: each costs as much as ten others. */
const maxPointsOfRules = maxPoints / 10;

/** Most comparisons of a point with a rule: they take a second. */
const mostComparisons = 5_000_000;

/**
 * Every point of a grid: all combinations in the order of the file, the last dimension fastest; then, for each, the
 * further axes of the `when` rules that hold; without those that are excluded; then the added points.
 */
export const gridPoints = (sweep: Sweep, ground: Ground): Result<readonly Point[]> => {
  const size = sweep.dimensions.reduce((product, dimension) => product * optionsOf(dimension).length, 1);
  const got = (points: number) =>
    `${points.toLocaleString('en')} points: ${sweep.dimensions.map((one) => optionsOf(one).length).join(' x ')}`;
  if (size > maxPoints) return failure(tooManyPoints(sweep, got(size)));
  const rules = sweep.when.length + sweep.exclude.length;
  if (size * rules > mostComparisons) {
    return failure(tooManyPoints(sweep, `${got(size)}, to compare with ${rules.toLocaleString('en')} rules`));
  }
  const hasAxes = sweep.dimensions.length > 0 || sweep.when.length > 0 || sweep.add.length === 0;
  const whole = hasAxes ? applyWhen(sweep, ground, combine([], sweep.dimensions)) : [];
  if (whole === undefined) {
    return failure(
      tooManyPoints(sweep, `more, with the axes of ${sweep.when.length} when rules`, maxPointsOfRules),
    );
  }
  const excluded = new Set<object>();
  const kept = whole.filter((point) => {
    const rule = sweep.exclude.find((one) => holds(ground, point, one));
    if (rule) excluded.add(rule);
    return !rule;
  });
  const points = [...kept, ...sweep.add];
  if (points.length === 0) return failure(noPoints(sweep, whole.length));
  return success(points, unusedRules(sweep, { ground, whole, excluded }));
};

const optionsOf = (dimension: Dimension): readonly Point[] =>
  dimension.kind === 'choices' ? dimension.options : [];

/** Every way to take one option of each dimension after `start`, the last dimension fastest. */
export const combine = (start: Point, dimensions: readonly Dimension[]): Point[] => {
  let points: Point[] = [start];
  for (const dimension of dimensions) {
    const options = optionsOf(dimension);
    points = points.flatMap((point) => options.map((option) => [...point, ...option]));
  }
  return points;
};

/**
 * The points, each with its combinations with the axes of the rules that hold for it; a rule sees what rules before it
 * chose. Undefined where that makes too many.
 */
const applyWhen = (sweep: Sweep, ground: Ground, starts: readonly Point[]): Point[] | undefined => {
  const all: Point[] = [];
  for (const start of starts) {
    let points: Point[] = [start];
    for (const rule of sweep.when) {
      const factor = rule.dimensions.reduce((product, one) => product * optionsOf(one).length, 1);
      const met = points.filter((point) => holds(ground, point, rule)).length;
      const grown = points.length + met * (factor - 1);
      if (grown > points.length && all.length + grown > maxPointsOfRules) return undefined;
      if (met === 0) continue;
      points = points.flatMap((point) =>
        holds(ground, point, rule) ? combine(point, rule.dimensions) : [point],
      );
    }
    for (const point of points) all.push(point);
  }
  return all;
};

const tooManyPoints = (sweep: Sweep, got: string, most = maxPoints): Diagnostic => ({
  code: 'too-many-runs',
  severity: 'error',
  message: 'The grid has too many points.',
  at: sweep.at,
  expected: `at most ${most.toLocaleString('en')} points`,
  got,
  help: 'Give the axes fewer values, or search with method: random and samples.',
});

const noPoints = ({ exclude, at }: Sweep, all: number): Diagnostic => ({
  code: 'empty-plan',
  severity: 'error',
  message: 'The sweep leaves out every one of its points, so there is nothing to run.',
  at: exclude[0]?.at ?? at,
  expected: 'at least one point that no rule excludes',
  got: `${all} of ${all} points excluded`,
  help: 'Add a value to the rule, so that it meets fewer points, or remove it.',
});

const unusedRules = (
  { exclude, when }: Sweep,
  context: {
    readonly ground: Ground;
    readonly whole: readonly Point[];
    readonly excluded: ReadonlySet<object>;
  },
): Diagnostic[] => {
  const { ground, whole, excluded } = context;
  const warn = (message: string, at: NonNullable<Diagnostic['at']>): Diagnostic => ({
    code: 'unused-rule',
    severity: 'warning',
    message,
    at,
    expected: 'values that some point of the sweep has together',
    got: 'no such point',
    help: 'Compare the values with those of the axes, or remove the rule.',
  });
  // A rule whose points an earlier rule has taken is used all the same.
  const unusedExclude = exclude.filter(
    (rule) => !excluded.has(rule) && !whole.some((point) => holds(ground, point, rule)),
  );
  const unusedWhen = when.filter((rule) => !whole.some((point) => holds(ground, point, rule)));
  return [
    ...unusedExclude.map(({ at }) => warn('This exclude rule meets no point of the sweep.', at)),
    ...unusedWhen.map(({ at }) =>
      warn('The condition of this when rule holds for no point of the sweep.', at),
    ),
  ];
};

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
    if (!isObject(inner)) return undefined;
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
  const inner = isObject(before) ? before : {};
  return { ...map, [key]: withValue(inner, rest, value) };
};
