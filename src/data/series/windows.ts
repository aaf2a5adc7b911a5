import type { SeriesParameters } from './parameters.ts';
import type { SeriesPack } from './series-pack.ts';
import { rowsIn, type Span } from './split-series.ts';

/** The windows of a part, in the order of series and time. No number of a series is copied. */
export interface Windows {
  readonly size: number;
  /** The row of each window's first target: its inputs are the rows before it. */
  readonly origins: Int32Array;
  /** The series of a window. */
  readonly seriesOf: (window: number) => number;
}

/**
 * Every window whose targets lie in a span, and whose inputs lie within its series. A window that has none of its targets
 * is left out.
 */
export const windowsIn = (pack: SeriesPack, parameters: SeriesParameters, span: Span): Windows => {
  const { window, horizon, stride } = parameters;
  const ranges = pack.series.map((_, series) => {
    const { first, end } = rowsIn(pack, series, span);
    const from = Math.max(first, (pack.starts[series] as number) + window);
    return { from, count: Math.max(0, Math.floor((end - horizon - from) / stride) + 1) };
  });
  const hasTarget = targetsBetween(pack, parameters.targets.length);
  const origins = new Int32Array(ranges.reduce((sum, { count }) => sum + count, 0));
  const ends: number[] = [];
  let size = 0;
  for (const { from, count } of ranges) {
    for (let one = 0; one < count; one++) {
      const origin = from + one * stride;
      if (hasTarget(origin, origin + horizon)) origins[size++] = origin;
    }
    ends.push(size);
  }
  return {
    size,
    origins: origins.subarray(0, size),
    seriesOf: (wanted) => firstAbove(ends, wanted),
  };
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
