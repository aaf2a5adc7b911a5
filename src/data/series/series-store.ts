import { baselinesOf, type BaselineGiven } from './baselines.ts';
import { fillSeries, fillsFromBehind } from './fill-series.ts';
import { missingStrategiesOf } from './parameters.ts';
import type { SeriesScaling } from './scale-series.ts';
import { inputRows, type InputLayout } from './series-inputs.ts';
import type { SeriesStore } from './series-split.ts';
import type { Spans } from './split-series.ts';

/** The rows of a file, with what was measured on the training part or recorded of it. */
export interface StoreGiven extends BaselineGiven {
  readonly layout: InputLayout;
  readonly scaling: SeriesScaling;
  readonly spans: Spans;
  /** `[series, targets]`. */
  readonly naiveErrors: Float64Array;
}

/** Fills and scales the rows once, for all windows. */
export const seriesStore = (given: StoreGiven): SeriesStore => {
  const { pack, parameters, layout, scaling, means, spans, naiveErrors } = given;
  const strategies = missingStrategiesOf(parameters);
  const filled = fillSeries(pack, { strategies, spans, means });
  return {
    pack,
    parameters,
    layout,
    scaling,
    inputs: inputRows({ pack, filled, scaling, layout, parameters }),
    means: means.map((mean, at) => (mean - (scaling.mean[at] as number)) * (scaling.factor[at] as number)),
    naiveErrors,
    baselines: (windows) => baselinesOf(given, windows),
    ...(strategies.some(fillsFromBehind) && filled.gaps && { gaps: filled.gaps }),
  };
};
