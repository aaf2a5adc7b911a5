import type { SeriesParameters } from './parameters.ts';
import type { SeriesPack } from './series-pack.ts';
import { rowsIn, type Span } from './split-series.ts';

/** The windows of a part, in the order of series and time. No number of a series is copied. */
export interface Windows {
  readonly size: number;
  /** The row of a window's first target: its inputs are the rows before it. */
  readonly originOf: (window: number) => number;
  /** The series of a window. */
  readonly seriesOf: (window: number) => number;
}

/**
 * Every window whose targets lie in a span, and whose inputs lie within its series. A window that has none of its targets
 * is left out.
 */
export const windowsIn = (pack: SeriesPack, parameters: SeriesParameters, span: Span): Windows => {
  const { window, horizon, stride } = parameters;
  const hasTarget = targetsBetween(pack, parameters.targets.length);
  const ranges = pack.series.map((_, series) => {
    const { first, end } = rowsIn(pack, series, span);
    const from = Math.max(first, (pack.starts[series] as number) + window);
    const count = Math.max(0, Math.floor((end - horizon - from) / stride) + 1);
    const originAt = (one: number): number => from + one * stride;
    const hasTargetAt = (one: number) => hasTarget(originAt(one), originAt(one) + horizon);
    const kept = numbersBelow(count, hasTargetAt);
    return kept
      ? { count: kept.length, originAt: (one: number) => originAt(kept[one] as number) }
      : { count, originAt };
  });
  const ends: number[] = [];
  for (const { count } of ranges) ends.push((ends.at(-1) ?? 0) + count);
  const seriesOf = (wanted: number): number => firstAbove(ends, wanted);
  return {
    size: ends.at(-1) ?? 0,
    originOf: (wanted) => {
      const series = seriesOf(wanted);
      const before = series === 0 ? 0 : (ends[series - 1] as number);
      return (ranges[series] as (typeof ranges)[number]).originAt(wanted - before);
    },
    seriesOf,
  };
};

/** The numbers below `count` that pass a test; undefined if all do, so that nothing is held for each of them. */
const numbersBelow = (count: number, passes: (number: number) => boolean): Int32Array | undefined => {
  let size = 0;
  for (let number = 0; number < count; number++) if (passes(number)) size++;
  if (size === count) return undefined;
  const kept = new Int32Array(size);
  for (let number = 0, at = 0; number < count; number++) if (passes(number)) kept[at++] = number;
  return kept;
};

/** The index of the first of rising numbers that is above another. */
const firstAbove = (rising: readonly number[], value: number): number => {
  let [low, high] = [0, rising.length - 1];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((rising[middle] as number) > value) high = middle;
    else low = middle + 1;
  }
  return low;
};

/** Whether any target has a value in the rows from `first` up to `end`. */
const targetsBetween = ({ values, columns }: SeriesPack, targets: number) => {
  const width = columns.length;
  return (first: number, end: number): boolean => {
    for (let row = first; row < end; row++) {
      for (let target = 0; target < targets; target++) {
        if (!Number.isNaN(values[row * width + target])) return true;
      }
    }
    return false;
  };
};
