/**
 * How rising quantiles follow from raw outputs: quantiles = outputs x base + softplus(outputs) x steps, both `[quantiles,
 * quantiles]`, row-major. The middle output is the middle quantile; each other one is the distance to its neighbour towards
 * the middle.
 */
export const quantileMatrices = (
  count: number,
  middle: number,
): { readonly base: readonly number[]; readonly steps: readonly number[] } => {
  const matrix = (entry: (from: number, to: number) => number) =>
    Array.from({ length: count * count }, (_, at) => entry(Math.floor(at / count), at % count));
  return {
    base: matrix((from) => Number(from === middle)),
    steps: matrix((from, to) => (from > middle && from <= to ? 1 : from < middle && from >= to ? -1 : 0)),
  };
};
