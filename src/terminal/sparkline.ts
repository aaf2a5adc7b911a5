const bars = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'] as const;

/**
 * A curve in one line of at most `width` characters: each the mean of its share of the values, scaled from the lowest
 * to the highest share. `×` marks a share in which nothing is finite.
 */
export const sparkline = (values: readonly number[], width: number): string => {
  const count = Math.min(values.length, Math.max(0, Math.floor(width)));
  const shares = Array.from({ length: count }, (_, i) => {
    const share = values
      .slice(Math.floor((i * values.length) / count), Math.floor(((i + 1) * values.length) / count))
      .filter(Number.isFinite);
    return share.reduce((sum, value) => sum + value, 0) / share.length;
  });
  const finite = shares.filter(Number.isFinite);
  const low = Math.min(...finite);
  const high = Math.max(...finite);
  return shares
    .map((share) => {
      if (!Number.isFinite(share)) return '×';
      const height = high > low ? (share - low) / (high - low) : 0;
      return bars[Math.round(height * (bars.length - 1))] ?? bars[0];
    })
    .join('');
};
