/** The place of the quantile nearest to the median, which is used as the prediction. */
export const middleOf = (quantiles: readonly number[]): number =>
  quantiles.reduce(
    (best, quantile, at) =>
      Math.abs(quantile - 0.5) < Math.abs((quantiles[best] as number) - 0.5) ? at : best,
    0,
  );
