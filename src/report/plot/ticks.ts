/** Round numbers (1, 2 or 5 times a power of ten) from just below `low` to just above `high`, about `count` of them. */
export const niceTicks = (low: number, high: number, count: number): number[] => {
  if (!(high > low)) return niceTicks(low - (Math.abs(low) || 1) / 2, low + (Math.abs(low) || 1) / 2, count);
  const rough = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5].find((one) => one * power >= rough) ?? 10) * power;
  const first = Math.floor(low / step + 1e-9);
  const last = Math.ceil(high / step - 1e-9);
  // Multiples by division, so that 3 * 0.1 is 0.3.
  return Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)));
};

/** Ticks as short as they can be and still differ. */
export const tickLabel = (value: number): string => {
  const size = Math.abs(value);
  if (size >= 1e6 || (size > 0 && size < 1e-4)) return value.toExponential().replace('e+', 'e');
  return size >= 10_000 ? `${value / 1000}k` : String(value);
};
