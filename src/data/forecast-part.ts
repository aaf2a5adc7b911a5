import { Type } from '@sinclair/typebox';
import type { Described } from '../system/schema.ts';

export const baselineSchema = Type.Object({
  /** Such as `naive`, the last value repeated. */
  name: Type.String(),
  /** The steps of a season, of a seasonal baseline. */
  season: Type.Optional(Type.Number()),
  mae: Type.Number(),
  rmse: Type.Number(),
  /** By how many steps ahead; null where no target has a value. */
  maeByStep: Type.Array(Type.Union([Type.Number(), Type.Null()])),
});

/** The errors of a forecast that needs no network, such as the last value repeated; in the unit of the targets. */
export type Baseline = Described<typeof baselineSchema>;

/** What only a part of a forecasting dataset has. Rows are those of all series, one series after another. */
export interface ForecastPart {
  readonly baselines: () => readonly Baseline[];
  /** The name of a window's series; empty where there is one. */
  readonly seriesOf: (index: number) => string;
  /** The row of a window's first target. */
  readonly originOf: (index: number) => number;
  /** The first row of the series that a row belongs to. */
  readonly firstRow: (row: number) => number;
  /** The time of a row, as the file has it. */
  readonly timeAt: (row: number) => string;
  /** A target in a row; NaN where the file has no value. */
  readonly truthAt: (row: number, target: number) => number;
}

/** The least mean absolute error of some baselines. */
export const bestBaseline = (baselines: readonly Baseline[]): Baseline | undefined =>
  baselines.reduce<Baseline | undefined>(
    (best, one) => (best && best.mae <= one.mae ? best : one),
    undefined,
  );
