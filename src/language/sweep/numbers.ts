/**
 * Removes the noise of floating-point arithmetic: twelve significant digits, so that the middle of
 * `{ log: [1e-4, 1e-2], steps: 3 }` is 0.001 rather than 0.0009999999999999998.
 */
export const tidy = (value: number): number => Number(value.toPrecision(12));

/** `first`, `first + step`, ... up to `last`, which belongs to it when it is met. Empty when `step` leads away. */
export const rangeValues = (first: number, last: number, step: number): number[] => {
  const count = Math.floor((last - first) / step + 1e-9) + 1;
  return Array.from({ length: Math.max(0, count) }, (_, index) => tidy(first + index * step));
};

/** `steps` numbers at equal distances from `first` to `last`, both included exactly. */
export const linearValues = (first: number, last: number, steps: number): number[] =>
  parts(steps).map((part) => exactEnds(part, [first, last]) ?? tidy(first + (last - first) * part));

/** `steps` numbers at equal ratios from `first` to `last`, both above zero and included exactly. */
export const logValues = (first: number, last: number, steps: number): number[] =>
  parts(steps).map((part) => exactEnds(part, [first, last]) ?? tidy(first * (last / first) ** part));

const parts = (steps: number): number[] => Array.from({ length: steps }, (_, index) => index / (steps - 1));

const exactEnds = (part: number, [first, last]: readonly [number, number]): number | undefined =>
  part === 0 ? first : part === 1 ? last : undefined;
