/** Rows whose largest probability lies in one interval; each counts as often as its weight. */
export interface CalibrationBin {
  readonly rows: number;
  /** The mean of the largest probabilities. */
  readonly confidence: number;
  /** The part of the rows that is predicted right. */
  readonly accuracy: number;
}

const binCount = 15;

/**
 * Expected calibration error (Guo et al. 2017, "On Calibration of Modern Neural Networks"): rows are put into 15 equal
 * intervals (low, high] by the probability of their prediction, and |accuracy - confidence| is averaged over the rows.
 */
export const createCalibration = () => {
  const rows = new Float64Array(binCount);
  const confidences = new Float64Array(binCount);
  const hits = new Float64Array(binCount);
  const increase = (counts: Float64Array, at: number, by: number) => {
    counts[at] = (counts[at] as number) + by;
  };
  const bins = (): readonly CalibrationBin[] =>
    Array.from(rows, (count, at) => ({
      rows: count,
      confidence: count === 0 ? (at + 0.5) / binCount : (confidences[at] as number) / count,
      accuracy: count === 0 ? 0 : (hits[at] as number) / count,
    }));
  return {
    add: (probability: number, isRight: boolean, weight = 1) => {
      // A row with NaN has no prediction.
      if (Number.isNaN(probability)) return;
      const bin = Math.min(binCount - 1, Math.max(0, Math.ceil(probability * binCount) - 1));
      increase(rows, bin, weight);
      increase(confidences, bin, weight * probability);
      if (isRight) increase(hits, bin, weight);
    },
    bins,
    /** NaN without rows. */
    error: (): number => {
      const found = bins();
      const total = found.reduce((sum, bin) => sum + bin.rows, 0);
      return found.reduce(
        (error, bin) => error + (bin.rows / total) * Math.abs(bin.accuracy - bin.confidence),
        0,
      );
    },
  };
};
