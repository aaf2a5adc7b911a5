import type { SeriesScaling } from './scale-series.ts';
import type { SeriesPack } from './series-pack.ts';

/** The targets of all rows, `[rows, targets]`. */
export const scaledTargets = (pack: SeriesPack, scaling: SeriesScaling, count: number): Float32Array => {
  const { starts, values, columns, times } = pack;
  const targets = new Float32Array(times.length * count);
  for (let series = 0; series + 1 < starts.length; series++) {
    for (let row = starts[series] as number; row < (starts[series + 1] as number); row++) {
      for (let target = 0; target < count; target++) {
        const of = series * columns.length + target;
        targets[row * count + target] =
          ((values[row * columns.length + target] as number) - (scaling.mean[of] as number)) *
          (scaling.factor[of] as number);
      }
    }
  }
  return targets;
};
