/** The errors of a forecast that needs no network, such as the last value repeated; in the unit of the targets. */
export interface Baseline {
  readonly name: string;
  /** The steps of a season, of a seasonal baseline. */
  readonly season?: number;
  readonly mae: number;
  readonly rmse: number;
  /** By how many steps ahead; null where no target has a value. */
  readonly maeByStep: readonly (number | null)[];
}

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
