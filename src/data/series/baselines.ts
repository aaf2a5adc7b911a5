import type { Baseline } from '../forecast-part.ts';
import type { SeriesParameters } from './parameters.ts';
import type { SeriesPack } from './series-pack.ts';
import { rowsIn, type Span } from './split-series.ts';
import type { Windows } from './windows.ts';

export interface BaselineGiven {
  readonly pack: SeriesPack;
  readonly parameters: SeriesParameters;
  /** Undefined where the training part has none. */
  readonly season: number | undefined;
  /** The means of the training part, `[series, columns]`. */
  readonly means: Float64Array;
}

/** A forecast that needs no network: the value of a target `step` steps after the last row of a window, `step` from 1. */
type Guess = (at: {
  readonly series: number;
  readonly origin: number;
  readonly step: number;
  readonly target: number;
}) => number;

/** The last value of a target up to a row, or the mean of the training part where its series has none yet. */
const lastValue = ({ pack, means }: BaselineGiven) => {
  const width = pack.columns.length;
  return (series: number, target: number, row: number): number => {
    for (let at = row; at >= (pack.starts[series] as number); at--) {
      const value = pack.values[at * width + target] as number;
      if (!Number.isNaN(value)) return value;
    }
    return means[series * width + target] as number;
  };
};

/** The guesses by the name of their baseline. */
const guessesOf = (given: BaselineGiven): readonly (readonly [string, Guess])[] => {
  const { pack, season, means } = given;
  const width = pack.columns.length;
  const last = lastValue(given);
  const naive: Guess = ({ series, origin, target }) => last(series, target, origin - 1);
  const seasonal =
    (length: number): Guess =>
    ({ series, origin, step, target }) => {
      // The same place in the last season that is known.
      const row = origin + step - 1 - length * Math.ceil(step / length);
      return row < (pack.starts[series] as number)
        ? last(series, target, origin - 1)
        : last(series, target, row);
    };
  return [
    ['naive', naive],
    ...(season === undefined ? [] : [['seasonal naive', seasonal(season)] as const]),
    ['mean', ({ series, target }) => means[series * width + target] as number],
  ];
};

/** The errors of the baselines over the windows of a part, in the unit of the targets. */
export const baselinesOf = (given: BaselineGiven, windows: Windows): readonly Baseline[] => {
  const { pack, parameters, season } = given;
  const { horizon, targets } = parameters;
  const width = pack.columns.length;
  return guessesOf(given).map(([name, guess]) => {
    const absolute = new Float64Array(horizon);
    const counts = new Float64Array(horizon);
    let squared = 0;
    for (let window = 0; window < windows.size; window++) {
      const origin = windows.originOf(window);
      const series = windows.seriesOf(window);
      for (let step = 1; step <= horizon; step++) {
        for (let target = 0; target < targets.length; target++) {
          const truth = pack.values[(origin + step - 1) * width + target] as number;
          if (Number.isNaN(truth)) continue;
          const error = Math.abs(guess({ series, origin, step, target }) - truth);
          absolute[step - 1] = (absolute[step - 1] as number) + error;
          counts[step - 1] = (counts[step - 1] as number) + 1;
          squared += error * error;
        }
      }
    }
    const total = counts.reduce((sum, count) => sum + count, 0);
    return {
      name,
      mae: absolute.reduce((sum, error) => sum + error, 0) / total,
      rmse: Math.sqrt(squared / total),
      maeByStep: Array.from(absolute, (error, step) =>
        counts[step] === 0 ? null : error / (counts[step] as number),
      ),
      ...(name === 'seasonal naive' && season !== undefined && { season }),
    };
  });
};

/**
 * The mean absolute error of the one-season-ahead naive forecast within the training part, `[series, targets]`: what
 * errors are divided by in MASE (Hyndman and Koehler 2006). Without a season it is that of one step ahead. NaN where a
 * series has no two such values.
 */
export const naiveErrorsOf = ({ pack, parameters, season = 1 }: BaselineGiven, train: Span): Float64Array => {
  const width = pack.columns.length;
  const count = parameters.targets.length;
  const errors = new Float64Array(pack.series.length * count);
  pack.series.forEach((_, series) => {
    const { first, end } = rowsIn(pack, series, train);
    for (let target = 0; target < count; target++) {
      let [sum, pairs] = [0, 0];
      for (let row = first + season; row < end; row++) {
        const distance = Math.abs(
          (pack.values[row * width + target] as number) -
            (pack.values[(row - season) * width + target] as number),
        );
        if (Number.isNaN(distance)) continue;
        sum += distance;
        pairs++;
      }
      errors[series * count + target] = sum / pairs;
    }
  });
  return errors;
};
