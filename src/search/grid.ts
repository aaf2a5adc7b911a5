import { failure, success, type Diagnostic, type Result } from '../diagnostic/diagnostic.ts';
import { holds, type Ground } from './point-values.ts';
import type { Dimension, Point, Sweep } from '../language/sweep/sweep.ts';

/** Most points that are looked at; a plan has far fewer. */
export const maxPoints = 1_000_000;

/**
 * Every point of a grid: all combinations in the order of the file, the last dimension fastest; then, for each, the
 * further axes of the `when` rules that hold; without those that are excluded; then the added points.
 */
export const gridPoints = (sweep: Sweep, ground: Ground): Result<readonly Point[]> => {
  const size = sweep.dimensions.reduce((product, dimension) => product * optionsOf(dimension).length, 1);
  if (size > maxPoints) {
    return failure({
      code: 'too-many-runs',
      severity: 'error',
      message: 'The grid has too many points.',
      at: sweep.at,
      expected: `at most ${maxPoints.toLocaleString('en')} points`,
      got: `${size.toLocaleString('en')} points: ${sweep.dimensions.map((one) => optionsOf(one).length).join(' x ')}`,
      help: 'Give the axes fewer values, or search with method: random and samples.',
    });
  }
  const hasAxes = sweep.dimensions.length > 0 || sweep.when.length > 0 || sweep.add.length === 0;
  const whole = hasAxes
    ? combine([], sweep.dimensions).flatMap((point) => applyWhen(sweep, ground, point))
    : [];
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

/** A point, or its combinations with the axes of the rules that hold for it; a rule sees what rules before it chose. */
const applyWhen = (sweep: Sweep, ground: Ground, start: Point): Point[] => {
  let points: Point[] = [start];
  for (const rule of sweep.when) {
    points = points.flatMap((point) =>
      holds(ground, point, rule) ? combine(point, rule.dimensions) : [point],
    );
  }
  return points;
};

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
