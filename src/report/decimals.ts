/**
 * How many decimals numbers of one column are shown with: enough to distinguish the nearest two, and two digits of the
 * smallest spread, between 0 and 6; fewer for large numbers.
 */
export const decimalsFor = (values: readonly number[], spreads: readonly number[] = []): number => {
  const finite = values.filter(Number.isFinite);
  const largest = finite.reduce((most, one) => Math.max(most, Math.abs(one)), 0);
  if (finite.every(Number.isInteger) && spreads.every(Number.isInteger)) return 0;
  const most = largest >= 1000 ? 1 : largest >= 10 ? 3 : 6;
  const sorted = [...finite].sort((a, b) => a - b);
  const gaps = sorted.slice(1).map((value, i) => value - (sorted[i] ?? 0));
  // Rounding makes a gap of 0.0001 a little smaller, which must not cost a decimal.
  const place = (numbers: readonly number[]) =>
    -Math.floor(Math.log10(numbers.reduce((a, b) => (b > 0 ? Math.min(a, b) : a), Infinity)) + 1e-6);
  const wanted = Math.max(...[place(gaps), place(spreads) + 1].filter(Number.isFinite));
  return Math.min(most, Math.max(largest >= 10 ? 2 : 4, wanted));
};

/**
 * A number with fixed decimals, or with more where it would keep fewer significant digits than wanted (four); very small and very
 * large ones with an exponent.
 */
export const fixed = (value: number, decimals: number, digits = 4): string => {
  if (!Number.isFinite(value)) return String(value);
  const size = Math.abs(value);
  if (size >= 1e7 || (size > 0 && size < 1e-4)) return value.toExponential(3);
  if (Number.isInteger(value)) return value.toFixed(decimals);
  return value.toFixed(Math.max(decimals, digits - 1 - Math.floor(Math.log10(size))));
};
