import type { Random } from '../data/random.ts';
import type { Coordinates, SearchAxis } from './space.ts';

/** A point that was proposed, and what is known of its result. */
export interface Trial {
  readonly coordinates: Coordinates;
  /** Null while it is not known; a failure is minus infinity. Larger is better. */
  readonly value: number | null;
  /** How far its training went before it was measured: what went further is measured better. */
  readonly level: number;
}

/** Draws from the density of the good points, of which the most promising are taken. */
const candidates = 24;

/** Share of the trials that count as good, and how many at most. */
const goodShare = 0.15;
const mostGood = 25;

/**
 * The multivariate tree-structured Parzen estimator: J. Bergstra et al., "Algorithms for Hyper-Parameter Optimization",
 * NeurIPS 2011; joint kernels as in S. Falkner et al., "BOHB", ICML 2018. The trials are split into the good ones and
 * the rest; kernel densities l and g are put over both; points drawn from l are ranked by l / g, which rises with the
 * expected improvement. Trials without a result count among the rest, so that processes side by side spread out.
 *
 * Answers coordinates of candidates, the most promising first.
 */
export const proposeByTpe = (
  axes: readonly SearchAxis[],
  trials: readonly Trial[],
  random: Random,
): readonly (readonly number[])[] => {
  const { good, rest } = split(trials);
  const l = density(axes, good);
  const g = density(axes, rest);
  const drawn = Array.from({ length: candidates }, () => l.draw(random));
  return drawn
    .map((point) => ({ point, score: l.logAt(point) - g.logAt(point) }))
    .sort((a, b) => b.score - a.score)
    .map(({ point }) => point);
};

/** Finished trials before others, those that were trained further before others, then by value; ties by age. */
const split = (trials: readonly Trial[]) => {
  const known = trials.filter((one) => one.value !== null);
  const order = [...known].sort((a, b) => b.level - a.level || compare(b.value ?? 0, a.value ?? 0));
  const count = Math.min(mostGood, Math.ceil(goodShare * known.length));
  const good = new Set(order.slice(0, count).filter(({ value }) => value !== -Infinity));
  return { good: [...good], rest: trials.filter((one) => !good.has(one)) };
};

const compare = (a: number, b: number): number => (a === b ? 0 : a - b);

interface Density {
  readonly draw: (random: Random) => number[];
  /** Up to a constant that is the same for all densities over the same axes. */
  readonly logAt: (point: readonly number[]) => number;
}

/** A mixture of a kernel around each trial and, with the weight of one of them, the uniform density. */
const density = (axes: readonly SearchAxis[], trials: readonly Trial[]): Density => {
  const count = trials.length;
  const width = kernelWidth(count, axes.length);
  const draw = (random: Random): number[] => {
    const centre = trials[random.integer(count + 1)];
    return axes.map((axis, index) =>
      drawAlong(axis, { centre: centre?.coordinates[index], width, count }, random),
    );
  };
  const logAt = (point: readonly number[]): number => {
    const terms = [undefined, ...trials].map((trial) =>
      axes.reduce((sum, axis, index) => {
        const kernel = { centre: trial?.coordinates[index], width, count };
        return sum + Math.log(massAt(axis, kernel, point[index] ?? 0));
      }, 0),
    );
    const largest = Math.max(...terms);
    return largest + Math.log(terms.reduce((sum, term) => sum + Math.exp(term - largest), 0) / terms.length);
  };
  return { draw, logAt };
};

/** Scott's rule for the unit cube, but never so narrow that a few trials are taken for the whole truth. */
const kernelWidth = (count: number, dimensions: number): number =>
  Math.max(0.2 * Math.max(1, count) ** (-1 / (dimensions + 4)), 1 / Math.min(100, count + 1) / 2);

interface Kernel {
  /** Missing for the uniform density, and where a trial has no such dimension. */
  readonly centre: number | null | undefined;
  readonly width: number;
  readonly count: number;
}

const drawAlong = (axis: SearchAxis, { centre, width, count }: Kernel, random: Random): number => {
  if (centre === null || centre === undefined) return random.uniform();
  if (axis.kind === 'bins' && !axis.ordered) {
    return random.uniform() < ownShare(axis.edges.length - 1, count) ? centre : random.uniform();
  }
  // A centre in [0, 1] has at least nearly half of its normal density inside: few draws are rejected.
  for (;;) {
    const drawn = centre + width * random.normal();
    if (drawn >= 0 && drawn < 1) return drawn;
  }
};

/** Aitchison and Aitken's kernel (1976): the value itself, or with the rest of the probability any value. */
const ownShare = (values: number, count: number): number =>
  values <= 1 ? 1 : 1 - 1 / (1 + Math.max(1, count));

/** Probability of the value at a coordinate (of a bin: of the whole bin; otherwise its density). */
const massAt = (axis: SearchAxis, { centre, width, count }: Kernel, coordinate: number): number => {
  if (axis.kind === 'continuous') {
    if (centre === null || centre === undefined) return 1;
    return normalDensity((coordinate - centre) / width) / width / inside(centre, width);
  }
  const bin = binOf(axis.edges, coordinate);
  const [from, to] = [axis.edges[bin] ?? 0, axis.edges[bin + 1] ?? 1];
  if (centre === null || centre === undefined) return to - from;
  if (!axis.ordered) {
    const own = ownShare(axis.edges.length - 1, count);
    return (1 - own) * (to - from) + (binOf(axis.edges, centre) === bin ? own : 0);
  }
  const mass = normalBelow((to - centre) / width) - normalBelow((from - centre) / width);
  return Math.max(mass / inside(centre, width), 1e-12);
};

const binOf = (edges: readonly number[], coordinate: number): number => {
  const index = edges.findIndex((edge) => edge > coordinate) - 1;
  return index < 0 ? edges.length - 2 : index;
};

const inside = (centre: number, width: number): number =>
  normalBelow((1 - centre) / width) - normalBelow(-centre / width);

const normalDensity = (z: number): number =>
  Math.max(Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI), 1e-300);

/** The standard normal distribution function, to 7.5e-8: M. Abramowitz and I. Stegun, 26.2.17. */
const normalBelow = (z: number): number => {
  const t = 1 / (1 + 0.2316419 * Math.abs(z));
  const series =
    t * (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
  const above = (Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI)) * series;
  return z >= 0 ? 1 - above : above;
};
