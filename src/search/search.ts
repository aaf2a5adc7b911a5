import { randomStream } from '../data/random.ts';
import { failure, success, type Diagnostic, type Result } from '../diagnostic/diagnostic.ts';
import { gridPoints, maxPoints, holds, type Ground } from './grid.ts';
import { placePoint } from './space.ts';
import type { Point, Sweep } from '../language/sweep/sweep.ts';

/** After this many draws without a new point, the space counts as exhausted. */
const maxVainDraws = 10_000;

/**
 * Points drawn from the space: `samples` different ones, then the added points. Draw n depends on the sweep's seed and n
 * alone, so more samples only ever add points.
 *
 * `random` draws each dimension by itself. `quasi-random` takes a Halton sequence (Halton 1960), one prime base for each
 * dimension, shifted by a random amount (Cranley and Patterson 1976): it covers the space more evenly.
 */
export const searchPoints = (sweep: Sweep, ground: Ground): Result<readonly Point[]> => {
  const finite = finiteSpace(sweep, ground);
  if (finite && !finite.ok) return finite;
  const known = finite?.value.length;
  if (finite?.ok && known !== undefined && known <= sweep.samples) {
    const points = distinct([...finite.value, ...sweep.add]);
    return success(
      points,
      known < sweep.samples ? [...finite.notices, allOfThem(sweep, known)] : finite.notices,
    );
  }
  const drawn = new Map<string, Point>();
  const coordinate = createCoordinates(sweep);
  let vain = 0;
  for (let draw = 0; drawn.size < sweep.samples && vain < maxVainDraws; draw++) {
    const point = placePoint(sweep, ground, (dimension) => coordinate(draw, dimension));
    const key = keyOf(point);
    if (drawn.has(key) || sweep.exclude.some((rule) => holds(ground, point, rule))) vain++;
    else {
      vain = 0;
      drawn.set(key, point);
    }
  }
  if (drawn.size === 0 && sweep.add.length === 0) return failure(nothingDrawn(sweep));
  const notices = drawn.size < sweep.samples ? [allOfThem(sweep, drawn.size)] : [];
  return success(distinct([...drawn.values(), ...sweep.add]), notices);
};

/** All points of a space without intervals, unless there are too many to look at; undefined otherwise. */
export const finiteSpace = (sweep: Sweep, ground: Ground): Result<readonly Point[]> | undefined => {
  const all = [...sweep.dimensions, ...sweep.when.flatMap(({ dimensions }) => dimensions)];
  const size = all.reduce(
    (product, one) => product * (one.kind === 'choices' ? one.options.length : Infinity),
    1,
  );
  if (size > maxPoints / 10) return undefined;
  const points = gridPoints({ ...sweep, add: [] }, ground);
  return points.ok ? success(distinct(points.value), points.notices) : points;
};

export const keyOf = (point: Point): string =>
  point.map(({ key, value }) => `${key}=${JSON.stringify(value)}`).join('\n');

const distinct = (points: readonly Point[]): Point[] => [
  ...new Map(points.map((point) => [keyOf(point), point])).values(),
];

const primes = [2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71];

/** `n` written in a base, mirrored at the point: the van der Corput sequence. */
export const radicalInverse = (n: number, base: number): number => {
  let value = 0;
  let place = 1 / base;
  for (let rest = n; rest > 0; rest = Math.floor(rest / base)) {
    value += (rest % base) * place;
    place /= base;
  }
  return value;
};

const createCoordinates = ({ method, seed }: Sweep): ((draw: number, dimension: number) => number) => {
  const random = (...purpose: readonly (string | number)[]) =>
    randomStream(seed, 'sweep', ...purpose).uniform();
  return (draw, dimension) => {
    const base = primes[dimension];
    if (method !== 'quasi-random' || base === undefined) return random('draw', draw, dimension);
    return (radicalInverse(draw + 1, base) + random('shift', dimension)) % 1;
  };
};

const allOfThem = ({ at, samples }: Sweep, found: number): Diagnostic => ({
  code: 'merged-runs',
  severity: 'notice',
  message: `The space has only ${found} different points, and all of them are taken.`,
  at,
  expected: `${samples} different points`,
  got: `${found}`,
  help: `Write \`samples: ${found}\`, or give the axes more values.`,
});

const nothingDrawn = ({ at, exclude }: Sweep): Diagnostic => ({
  code: 'empty-plan',
  severity: 'error',
  message: 'Every point that was drawn is excluded, so there is nothing to run.',
  at: exclude[0]?.at ?? at,
  expected: 'points that no rule excludes',
  got: `${maxVainDraws} excluded points`,
  help: 'Add a value to the rule, so that it meets fewer points, or remove it.',
});
