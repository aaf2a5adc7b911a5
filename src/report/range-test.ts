import { renderLineChart, tickLabel } from './plot/line-chart.ts';

/** The share of the smoothed loss that each step keeps. */
const decay = 0.9;

/** The test ends where the smoothed loss is this many times the lowest one. */
const divergedAt = 4;

/** A suggestion is this many times below the rate of the lowest loss. */
const margin = 10;

/** The losses before are those of the first batches, whatever the rate. */
const firstSteps = 5;

export interface RangePoint {
  readonly learningRate: number;
  /** Of the batch before its update. */
  readonly loss: number;
  readonly smoothed: number;
}

/** What a learning-rate range test shows. */
export interface RangeTest {
  /** Up to where the loss diverges. */
  readonly points: readonly RangePoint[];
  /** A tenth of the rate at which the smoothed loss is lowest; null if the loss never falls. */
  readonly suggestion: number | null;
  /** The rate at which the smoothed loss falls fastest; null if it never falls. */
  readonly steepest: number | null;
  /** The rate at which the loss is no number, or 4 times the lowest one; null if it does not come so far. */
  readonly diverges: number | null;
}

/** The learning rate of a step, counted from 1: it rises by the same factor with each step. */
export const rangeRate = (
  { from, to, steps }: { readonly from: number; readonly to: number; readonly steps: number },
  step: number,
): number => from * (to / from) ** ((step - 1) / (steps - 1));

/**
 * Reads a learning-rate range test (Smith 2017, "Cyclical Learning Rates for Training Neural Networks", section 3.3). The loss
 * is smoothed exponentially, corrected for its start; the test counts until the smoothed loss is 4 times its lowest value. The
 * suggestion is a tenth of the rate with the lowest smoothed loss, where the loss still falls clearly (Gugger 2018, "How Do
 * You Find A Good Learning Rate").
 */
export const readRangeTest = (
  losses: readonly { readonly learningRate: number; readonly loss: number }[],
): RangeTest => {
  const points: RangePoint[] = [];
  let mean = 0;
  let lowest = Infinity;
  let diverges: number | null = null;
  for (const [at, { learningRate, loss }] of losses.entries()) {
    mean = decay * mean + (1 - decay) * loss;
    const smoothed = mean / (1 - decay ** (at + 1));
    if (!Number.isFinite(smoothed) || (at >= firstSteps && smoothed > divergedAt * lowest)) {
      diverges = learningRate;
      break;
    }
    lowest = Math.min(lowest, smoothed);
    points.push({ learningRate, loss, smoothed });
  }
  const counted = points.slice(firstSteps);
  const best = counted.reduce<RangePoint | undefined>(
    (found, one) => (found && found.smoothed <= one.smoothed ? found : one),
    undefined,
  );
  const start = counted[0];
  if (!best || !start || best === start) return { points, suggestion: null, steepest: null, diverges };
  return {
    points,
    suggestion: best.learningRate / margin,
    steepest: steepestOf(counted),
    diverges,
  };
};

/** Where the smoothed loss falls most from one point to the next; the rates are evenly spaced by their logarithm. */
const steepestOf = (points: readonly RangePoint[]): number | null => {
  let most = 0;
  let found: number | null = null;
  for (let at = 1; at < points.length; at++) {
    const [before, after] = [points[at - 1], points[at]];
    const fall = (before?.smoothed ?? NaN) - (after?.smoothed ?? NaN);
    if (!(fall > most)) continue;
    most = fall;
    found = after?.learningRate ?? null;
  }
  return found;
};

/** The test as an SVG picture, over the logarithm of the learning rate. */
export const renderRangePlot = ({ points, suggestion }: RangeTest, title: string): string => {
  const logs = points.map(({ learningRate }) => Math.log10(learningRate));
  const [first, last] = [Math.floor(logs[0] ?? 0), Math.ceil(logs.at(-1) ?? 1)];
  const ticks = Array.from({ length: Math.max(1, last - first) + 1 }, (_, at) => first + at);
  return renderLineChart({
    title,
    description:
      suggestion === null
        ? 'Loss of minibatches by the learning rate, which rises with each step. The loss never falls.'
        : `Loss of minibatches by the learning rate, which rises with each step. The dashed line is the suggestion, ${suggestion.toPrecision(2)}.`,
    xLabel: 'learning rate',
    yLabel: 'loss',
    xTicks: ticks.map((at) => ({ at, label: tickLabel(Number(`1e${at}`)) })),
    series: [
      { name: 'loss', steps: logs, values: points.map(({ loss }) => loss) },
      {
        name: 'smoothed',
        steps: logs,
        values: points.map(({ smoothed }) => smoothed),
      },
    ],
    cutoffs: suggestion === null ? [] : [Math.log10(suggestion)],
    plain: true,
  });
};

/** The smoothed loss as lines of text: the learning rate rises to the right, by its logarithm. */
export const rangeLines = (
  { points, suggestion }: RangeTest,
  { width, height = 10 }: { readonly width: number; readonly height?: number },
): string[] => {
  const columns = Math.max(10, Math.min(width - 12, 72));
  const values = points.map(({ smoothed }) => smoothed);
  const [low, high] = [Math.min(...values), Math.max(...values)];
  if (points.length < 2 || !(high > low)) return [];
  const columnOf = (at: number) => Math.round((at * (columns - 1)) / (points.length - 1));
  const rows = Array.from({ length: height }, () => Array.from({ length: columns }, () => ' '));
  const marked = points.findIndex(({ learningRate }) => learningRate >= (suggestion ?? Infinity));
  if (marked >= 0) for (const row of rows) row[columnOf(marked)] = '¦';
  values.forEach((value, at) => {
    const row = rows[Math.round(((high - value) * (height - 1)) / (high - low))];
    if (row) row[columnOf(at)] = '•';
  });
  const label = (value: number) => value.toPrecision(3).padStart(9);
  const [first, last] = [points[0], points.at(-1)].map((one) => (one?.learningRate ?? NaN).toPrecision(2));
  return [
    ...rows.map((row, at) => {
      const edge = at === 0 ? label(high) : at === height - 1 ? label(low) : ' '.repeat(9);
      return `${edge} │${row.join('').trimEnd()}`;
    }),
    `${' '.repeat(9)} └${'─'.repeat(columns)}`,
    `${' '.repeat(11)}${first}${(last ?? '').padStart(columns - (first ?? '').length)}`,
  ];
};
