import { fillMissing, type MissingStrategy } from '../columns/missing.ts';
import type { SeriesPack } from './series-pack.ts';
import { rowsIn, type Spans } from './split-series.ts';

/** The values of a pack with nothing missing, and where something was. */
export interface FilledSeries {
  /** `[rows, columns]`, in the unit of the file. */
  readonly values: Float64Array;
  /** Absent where every value was there. */
  readonly gaps?: Gaps;
}

export interface Gaps {
  /** `[rows, columns]`: 1 where the file has no value. */
  readonly missing: Uint8Array;
  /** `[rows, columns]`: the last row up to this one, of the same series, in which the column has a value; -1 for none. */
  readonly lastKnown: Int32Array;
}

export interface FillGiven {
  /** By column. */
  readonly strategies: readonly MissingStrategy[];
  readonly spans: Spans;
  /** Means of the training part, `[series, columns]`. */
  readonly means: Float64Array;
}

/**
 * Fills what is missing, part by part: nothing in a part is filled from a later one. `mask` fills as `interpolate` does;
 * its indicators are inputs of their own.
 */
export const fillSeries = (pack: SeriesPack, { strategies, spans, means }: FillGiven): FilledSeries => {
  const { values, columns, series, step, times } = pack;
  if (!values.some(Number.isNaN)) return { values };
  const width = columns.length;
  const filled = values.slice();
  series.forEach((_, one) => {
    for (const { first, end } of partsOf(pack, one, spans)) {
      // The last value of the part before is the first that a line may begin at.
      const from = first > (pack.starts[one] as number) ? first - 1 : first;
      if (end <= first) continue;
      for (let column = 0; column < width; column++) {
        const strategy = strategies[column] as MissingStrategy;
        fillMissing(
          filled,
          { from: from * width + column, stride: width, count: end - from },
          {
            strategy: strategy === 'mask' ? 'interpolate' : strategy,
            mean: means[one * width + column] as number,
            times: step.kind === 'uneven' ? times.subarray(from, end) : undefined,
          },
        );
      }
    }
  });
  return { values: filled, gaps: findGaps(pack) };
};

/** Whether a value may be filled from rows after it. */
export const fillsFromBehind = (strategy: MissingStrategy | undefined): boolean =>
  strategy === 'interpolate' || strategy === 'mask';

/** The rows of each part of a series, and what is after the last one. */
const partsOf = (pack: SeriesPack, series: number, spans: Spans) => [
  rowsIn(pack, series, spans.train),
  rowsIn(pack, series, spans.validation),
  rowsIn(pack, series, spans.test),
  rowsIn(pack, series, { from: spans.test.to, to: Infinity }),
];

const findGaps = ({ values, columns, starts }: SeriesPack): Gaps => {
  const width = columns.length;
  const missing = new Uint8Array(values.length);
  const lastKnown = new Int32Array(values.length);
  for (let series = 0; series + 1 < starts.length; series++) {
    const start = starts[series] as number;
    for (let row = start; row < (starts[series + 1] as number); row++) {
      for (let column = 0; column < width; column++) {
        const at = row * width + column;
        missing[at] = Number.isNaN(values[at]) ? 1 : 0;
        lastKnown[at] = missing[at] === 0 ? row : row === start ? -1 : (lastKnown[at - width] as number);
      }
    }
  }
  return { missing, lastKnown };
};
