import { unreachable } from '../diagnostic/diagnostic.ts';
import type { Json } from '../system/json.ts';
import { tidy, type Choice, type Dimension, type Point, type Sweep } from '../language/sweep/sweep.ts';
import { holds, type Ground } from './grid.ts';

/**
 * The space as the search methods see it: a cube with a coordinate in [0, 1) for each dimension, those of the `when`
 * rules included. A dimension that a point does not have is null there.
 */
export type Coordinates = readonly (number | null)[];

/** How near two coordinates of a dimension are to each other. */
export type SearchAxis =
  /** Every coordinate is a value of its own. */
  | { readonly kind: 'continuous' }
  /** Value n lies between edges n and n + 1; neighbours are alike when `ordered`. */
  | { readonly kind: 'bins'; readonly ordered: boolean; readonly edges: readonly number[] };

type Choices = Extract<Dimension, { kind: 'choices' }>;
type Interval = Extract<Dimension, { kind: 'interval' }>;

/** More values than this are as good as a continuum. */
const mostBins = 1000;

export const dimensionsOf = (sweep: Sweep): readonly Dimension[] => [
  ...sweep.dimensions,
  ...sweep.when.flatMap(({ dimensions }) => dimensions),
];

/** The point at a place of the cube. */
export const placePoint = (
  sweep: Sweep,
  ground: Ground,
  coordinate: (dimension: number) => number,
): Point => {
  let point: Point = [];
  let index = 0;
  const take = (dimension: Dimension) => {
    point = [...point, ...pick(dimension, coordinate(index++))];
  };
  sweep.dimensions.forEach(take);
  for (const rule of sweep.when) {
    // A rule that does not hold uses its coordinates up, so that the others stay where they are.
    if (holds(ground, point, rule)) rule.dimensions.forEach(take);
    else index += rule.dimensions.length;
  }
  return point;
};

/** The coordinates of a point: null for a dimension that it does not set, or sets to a value outside of the space. */
export const coordinatesOf = (sweep: Sweep, point: Point): Coordinates => {
  const values = new Map(point.map(({ key, value }) => [key, JSON.stringify(value)]));
  return dimensionsOf(sweep).map((dimension) => {
    if (dimension.kind === 'interval') {
      const written = values.get(dimension.keys[0] ?? '');
      return written === undefined ? null : coordinateIn(dimension, JSON.parse(written) as Json);
    }
    const index = dimension.options.findIndex((option) =>
      option.every(({ key, value }) => values.get(key) === JSON.stringify(value)),
    );
    const edges = edgesOf(dimension);
    return index === -1 ? null : ((edges[index] ?? 0) + (edges[index + 1] ?? 1)) / 2;
  });
};

export const axisOf = (dimension: Dimension): SearchAxis => {
  switch (dimension.kind) {
    case 'choices':
      return { kind: 'bins', ordered: isOrdered(dimension), edges: edgesOf(dimension) };
    case 'interval': {
      const { low, high, step } = dimension;
      if (step === null || (high - low) / step > mostBins) return { kind: 'continuous' };
      return { kind: 'bins', ordered: true, edges: stepEdges(dimension, step) };
    }
    default:
      return unreachable(dimension);
  }
};

/** Numbers that rise or fall all along are one quantity, such as `[16, 32, 64]`. */
const isOrdered = ({ keys, options }: Choices): boolean => {
  const values = options.map(([choice]) => choice?.value);
  if (keys.length !== 1 || options.length < 3 || !values.every((one) => typeof one === 'number'))
    return false;
  const up = values.slice(1).map((value, index) => value > (values[index] ?? 0));
  return up.every((one) => one === up[0]);
};

const edgesOf = ({ options, weights }: Choices): number[] => {
  const shares = weights ?? options.map(() => 1);
  const total = shares.reduce((sum, share) => sum + share, 0);
  let sum = 0;
  return [0, ...shares.map((share) => (sum += share) / total)];
};

/** Each multiple of a step gets its own interval, so that the ends are as likely as the others. */
const spread = ({ low, high, scale }: Interval, step: number) => {
  const last = low + Math.floor((high - low) / step + 1e-9) * step;
  return {
    last,
    from: scale === 'log' ? Math.max(low / 2, low - step / 2) : low - step / 2,
    to: last + step / 2,
  };
};

const stepEdges = (interval: Interval, step: number): number[] => {
  const { last, from, to } = spread(interval, step);
  const count = Math.round((last - interval.low) / step) + 1;
  const inner = Array.from({ length: count - 1 }, (_, index) =>
    fraction(interval.low + (index + 0.5) * step, { from, to, scale: interval.scale }),
  );
  return [0, ...inner, 1];
};

const fraction = (
  value: number,
  { from, to, scale }: { readonly from: number; readonly to: number; readonly scale: Interval['scale'] },
): number =>
  from === to
    ? 0.5
    : scale === 'log'
      ? Math.log(value / from) / Math.log(to / from)
      : (value - from) / (to - from);

const coordinateIn = (interval: Interval, value: Json): number | null => {
  const { low, high, scale, step } = interval;
  if (typeof value !== 'number' || value < low * (1 - 1e-9) || value > high * (1 + 1e-9)) return null;
  const bounds = step === null ? { from: low, to: high } : spread(interval, step);
  return Math.min(1, Math.max(0, fraction(value, { ...bounds, scale })));
};

/** What a dimension has at a coordinate in [0, 1). */
const pick = (dimension: Dimension, coordinate: number): Point => {
  switch (dimension.kind) {
    case 'choices':
      return dimension.options[weightedIndex(dimension, coordinate)] ?? [];
    case 'interval':
      return [intervalChoice(dimension, coordinate)];
    default:
      return unreachable(dimension);
  }
};

const weightedIndex = ({ options, weights }: Choices, coordinate: number): number => {
  if (!weights) return Math.floor(coordinate * options.length);
  let rest = coordinate * weights.reduce((sum, weight) => sum + weight, 0);
  const index = weights.findIndex((weight) => (rest -= weight) < 0);
  return index === -1 ? options.length - 1 : index;
};

const intervalChoice = (interval: Interval, coordinate: number): Choice => {
  const { low, high, scale, step, keys, at } = interval;
  const key = keys[0] ?? '';
  if (step === null) {
    const drawn = scale === 'log' ? low * (high / low) ** coordinate : low + (high - low) * coordinate;
    return { key, path: key.split('.'), value: tidy(drawn), at, node: undefined, id: null };
  }
  const { last, from, to } = spread(interval, step);
  const drawn = scale === 'log' ? from * (to / from) ** coordinate : from + (to - from) * coordinate;
  const nearest = low + Math.round((drawn - low) / step) * step;
  const value = tidy(Math.min(last, Math.max(low, nearest)));
  return { key, path: key.split('.'), value, at, node: undefined, id: null };
};
