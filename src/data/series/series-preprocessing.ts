import type { SeriesPreprocessing } from '../preprocessing.ts';
import type { FittedScaling } from './scale-series.ts';
import type { SeriesStore } from './series-split.ts';
import type { Spans } from './split-series.ts';

/** What was measured on the training part, by the names of series and columns. */
export const seriesPreprocessing = (
  { pack, parameters, layout, naiveErrors }: SeriesStore,
  given: { readonly fitted: FittedScaling; readonly spans: Spans; readonly season: number | undefined },
): SeriesPreprocessing => {
  const { fitted, spans, season } = given;
  const { scaling, means, pooled } = fitted;
  const width = pack.columns.length;
  const targets = parameters.targets.length;
  return {
    kind: 'series',
    timeKind: pack.timeKind,
    step: pack.step,
    columns: pack.columns,
    series: pack.series.map((name, series) => {
      const of = (values: Float64Array) => [...values.subarray(series * width, (series + 1) * width)];
      const errors = naiveErrors.subarray(series * targets, (series + 1) * targets);
      return {
        name,
        mean: of(scaling.mean),
        factor: of(scaling.factor),
        fill: of(means),
        naiveErrors: Array.from(errors, orNull),
      };
    }),
    others: { mean: [...pooled.mean], factor: [...pooled.factor], fill: pooled.means },
    statics: layout.statics.map((input, at) => ({ name: parameters.static[at] ?? '', ...input })),
    ends: [spans.train.to, spans.validation.to, spans.test.to].map(orNull),
    season: season ?? null,
    scaledTargets: true,
  };
};

/** JSON has neither NaN nor infinities. */
const orNull = (value: number): number | null => (Number.isFinite(value) ? value : null);
