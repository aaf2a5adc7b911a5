import type { Batch, Split } from '../dataset.ts';
import type { Baseline } from '../forecast-part.ts';
import { fillsFromBehind, type Gaps } from './fill-series.ts';
import { missingStrategiesOf, type SeriesParameters } from './parameters.ts';
import type { SeriesScaling } from './scale-series.ts';
import { columnPlaces, type InputLayout } from './series-inputs.ts';
import type { SeriesPack } from './series-pack.ts';
import type { Windows } from './windows.ts';
import { writeTime } from './time-step.ts';

/** Everything that a window is read from; the same for all parts. */
export interface SeriesStore {
  readonly pack: SeriesPack;
  readonly parameters: SeriesParameters;
  readonly layout: InputLayout;
  readonly scaling: SeriesScaling;
  /** `[rows, inputs]`. */
  readonly inputs: Float32Array;
  /** Where filled values may have been taken from after a window's end. */
  readonly gaps?: Gaps;
  /** The scaled means of the training part, `[series, columns]`. */
  readonly means: Float64Array;
  /** What MASE divides by, `[series, targets]`. */
  readonly naiveErrors: Float64Array;
  readonly baselines: (windows: Windows) => readonly Baseline[];
}

/** The windows of a part as examples: stretches of the rows, copied when a batch is read. */
export const seriesSplit = (store: SeriesStore, windows: Windows): Split => {
  const { pack, parameters, layout, inputs } = store;
  const { window, horizon } = parameters;
  const width = layout.names.length;
  const steps = layout.flag === undefined ? window : window + horizon;
  const targetWidth = parameters.targets.length;
  const columns = pack.columns.length;
  const scalings = pack.series.map((_, series) => {
    const part = (values: Float64Array) => values.subarray(series * columns, series * columns + targetWidth);
    return { mean: part(store.scaling.mean), factor: part(store.scaling.factor) };
  });
  const seriesName = (index: number) => pack.series[windows.seriesOf(index)] as string;
  const timeAt = (row: number) => writeTime(pack.times[row] as number, pack.timeKind);
  const patch = store.gaps && patchEnds(store, store.gaps, windows);

  /** Scaled; NaN where the file has no value. */
  const copyTargets = (one: number, into: Float32Array, row: number): void => {
    const origin = windows.originOf(one);
    const { mean, factor } = scalings[windows.seriesOf(one)] as (typeof scalings)[number];
    for (let step = 0; step < horizon; step++) {
      for (let target = 0; target < targetWidth; target++) {
        const value = pack.values[(origin + step) * columns + target] as number;
        into[(row * horizon + step) * targetWidth + target] =
          (value - (mean[target] as number)) * (factor[target] as number);
      }
    }
  };

  const copy = (one: number, batch: Batch, row: number): void => {
    const origin = windows.originOf(one);
    const from = origin - window;
    const at = row * steps * width;
    batch.inputs.set(inputs.subarray(from * width, (from + steps) * width), at);
    patch?.(one, batch.inputs as Float32Array, at);
    if (layout.flag !== undefined) {
      for (let step = window; step < steps; step++) {
        const start = at + step * width;
        batch.inputs.fill(0, start, start + layout.observed);
        batch.inputs[start + layout.flag] = 1;
      }
    }
    copyTargets(one, batch.targets as Float32Array, row);
    batch.lengths[row] = steps;
  };
  return {
    size: windows.size,
    read: (indices, batch) => {
      for (let row = 0; row < indices.length; row++) copy(indices[row] as number, batch, row);
      batch.size = indices.length;
    },
    scaling: (index) => scalings[windows.seriesOf(index)] as (typeof scalings)[number],
    naiveError: (index) => {
      const start = windows.seriesOf(index) * targetWidth;
      return store.naiveErrors.subarray(start, start + targetWidth);
    },
    id: (index) => {
      const time = timeAt(windows.originOf(index) - 1);
      const series = seriesName(index);
      return series === '' ? time : `${series} ${time}`;
    },
    forecast: {
      baselines: once(() => store.baselines(windows)),
      seriesOf: seriesName,
      originOf: windows.originOf,
      firstRow: (row) => pack.starts.findLast((start) => start <= row) ?? 0,
      timeAt,
      truthAt: (row, target) => pack.values[row * columns + target] as number,
    },
  };
};

const once = <T>(compute: () => T): (() => T) => {
  let found: { readonly value: T } | undefined;
  return () => (found ??= { value: compute() }).value;
};

/**
 * Where a value is missing at the end of what a window may see, interpolation would fill it from after that end: such
 * values are replaced by the last one that is known, or by the mean of the training part.
 */
const patchEnds = (
  { pack, parameters, layout, inputs, means }: SeriesStore,
  gaps: Gaps,
  windows: Windows,
) => {
  const { window, horizon, targets, past } = parameters;
  const observed = targets.length + past.length;
  const columns = pack.columns.length;
  const width = layout.names.length;
  const { places } = columnPlaces(parameters);
  const strategies = missingStrategiesOf(parameters);
  return (one: number, into: Float32Array, at: number): void => {
    const origin = windows.originOf(one);
    const from = origin - window;
    for (let column = 0; column < columns; column++) {
      if (!fillsFromBehind(strategies[column])) continue;
      const end = column < observed ? origin : origin + horizon;
      const last = gaps.lastKnown[(end - 1) * columns + column] as number;
      if (last === end - 1) continue;
      const { value: input } = places[column] as (typeof places)[number];
      const value =
        last === -1
          ? (means[windows.seriesOf(one) * columns + column] as number)
          : (inputs[last * width + input] as number);
      for (let row = Math.max(from, last + 1); row < end; row++) {
        into[at + (row - from) * width + input] = value;
      }
    }
  };
};
