/** What was forecast of one number of a target, this many steps ahead. */
export interface StepForecast {
  readonly truth: number;
  readonly prediction: number;
  /** The lowest and the highest quantile, with a quantile loss. */
  readonly band?: { readonly low: number; readonly high: number };
  /** The mean absolute error of the seasonal naive forecast; mase divides by it. */
  readonly naiveError: number | undefined;
  readonly weight: number;
}

/** Errors of a forecast by how many steps ahead it is; null where no target has a value. */
export interface StepErrors {
  readonly maeByStep: readonly (number | null)[];
  readonly rmseByStep: readonly (number | null)[];
  readonly smapeByStep: readonly (number | null)[];
  /** Absent where no target has a seasonal naive forecast with an error. */
  readonly maseByStep?: readonly (number | null)[];
  /** Only with a quantile loss. */
  readonly coverageByStep?: readonly (number | null)[];
}

const kinds = ['absolute', 'squared', 'relative', 'scaled', 'covered'] as const;

/** Adds up the errors of each step of a horizon, as the metrics of the same names add them up over all steps. */
export const createStepErrors = (horizon: number) => {
  const sums = Object.fromEntries(
    kinds.map((kind) => [kind, { sum: new Float64Array(horizon), weight: new Float64Array(horizon) }]),
  ) as Record<(typeof kinds)[number], { readonly sum: Float64Array; readonly weight: Float64Array }>;

  const put = (kind: (typeof kinds)[number], step: number, value: number, weight: number) => {
    const { sum, weight: total } = sums[kind];
    sum[step] = (sum[step] as number) + weight * value;
    total[step] = (total[step] as number) + weight;
  };

  const means = (kind: (typeof kinds)[number]) =>
    Array.from(sums[kind].sum, (sum, step) => {
      const weight = sums[kind].weight[step] as number;
      return weight === 0 ? null : sum / weight;
    });

  const known = (values: readonly (number | null)[]) =>
    values.some((value) => value !== null) ? values : undefined;

  return {
    /** A missing truth (NaN) has no error. */
    add: (step: number, { truth, prediction, band, naiveError = 0, weight }: StepForecast): void => {
      const error = Math.abs(prediction - truth);
      if (Number.isNaN(error)) return;
      const both = Math.abs(truth) + Math.abs(prediction);
      put('absolute', step, error, weight);
      put('squared', step, error * error, weight);
      put('relative', step, both === 0 ? 0 : (2 * error) / both, weight);
      if (naiveError > 0) put('scaled', step, error / naiveError, weight);
      if (band) put('covered', step, band.low <= truth && truth <= band.high ? 1 : 0, weight);
    },
    values: (): StepErrors => {
      const [mase, coverage] = [known(means('scaled')), known(means('covered'))];
      return {
        maeByStep: means('absolute'),
        rmseByStep: means('squared').map((value) => value && Math.sqrt(value)),
        smapeByStep: means('relative'),
        ...(mase && { maseByStep: mase }),
        ...(coverage && { coverageByStep: coverage }),
      };
    },
  };
};
