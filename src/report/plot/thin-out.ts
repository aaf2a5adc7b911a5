/** A curve: equally long lists of steps and values. */
export interface Curve {
  readonly steps: readonly number[];
  readonly values: readonly number[];
}

/**
 * At most about `points` points that look the same: of each stretch the lowest and the highest value, at their steps.
 * Values that are not finite stay, one a stretch, because they break the line.
 */
export const thinOut = ({ steps, values }: Curve, points: number): Curve => {
  const stretches = Math.floor(points / 2);
  if (values.length <= points || stretches < 1) return { steps, values };
  const kept = new Set<number>([0, values.length - 1]);
  for (let stretch = 0; stretch < stretches; stretch++) {
    const from = Math.floor((stretch * values.length) / stretches);
    const to = Math.floor(((stretch + 1) * values.length) / stretches);
    let lowest = -1;
    let highest = -1;
    let gap = -1;
    for (let at = from; at < to; at++) {
      const value = values[at] ?? NaN;
      if (!Number.isFinite(value)) gap = at;
      else {
        if (lowest === -1 || value < (values[lowest] ?? 0)) lowest = at;
        if (highest === -1 || value > (values[highest] ?? 0)) highest = at;
      }
    }
    for (const at of [lowest, highest, gap]) if (at !== -1) kept.add(at);
  }
  const order = [...kept].sort((a, b) => a - b);
  const pick = (list: readonly number[]) => order.map((at) => list[at] ?? NaN);
  return { steps: pick(steps), values: pick(values) };
};

/**
 * A noisy curve's mean over `span` points on either side; fewer near the ends, as many on one side as on the other, so
 * that a steep beginning is neither pulled up nor late. Values that are not finite stay as they are.
 */
export const smooth = (values: readonly number[], span: number): number[] => {
  const sums = [0];
  const counts = [0];
  for (const [i, value] of values.entries()) {
    const finite = Number.isFinite(value);
    sums.push((sums[i] ?? 0) + (finite ? value : 0));
    counts.push((counts[i] ?? 0) + (finite ? 1 : 0));
  }
  return values.map((value, i) => {
    if (!Number.isFinite(value)) return value;
    const half = Math.min(Math.floor(span), i, values.length - 1 - i);
    const [from, to] = [i - half, i + half + 1];
    return ((sums[to] ?? 0) - (sums[from] ?? 0)) / ((counts[to] ?? 0) - (counts[from] ?? 0));
  });
};
