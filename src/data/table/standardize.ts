import type { Pack } from './pack.ts';

/** What is taken from each feature, and what the rest is then multiplied with. */
export interface Scaling {
  readonly mean: Float64Array;
  /** One over the standard deviation (of the population); 1 for a feature that is always the same. */
  readonly factor: Float64Array;
}

/** Mean and standard deviation of each feature over all steps of the given sequences, in one pass (Welford 1962). */
export const fitScaling = (pack: Pack, sequences: Int32Array): Scaling => {
  const width = pack.features.length;
  const mean = new Float64Array(width);
  const spread = new Float64Array(width);
  let count = 0;
  for (const sequence of sequences) {
    const record = pack.record(sequence);
    const end = pack.steps(sequence) * width;
    for (let start = 0; start < end; start += width) {
      count++;
      for (let feature = 0; feature < width; feature++) {
        const distance = (record[start + feature] as number) - (mean[feature] as number);
        const next = (mean[feature] as number) + distance / count;
        spread[feature] =
          (spread[feature] as number) + distance * ((record[start + feature] as number) - next);
        mean[feature] = next;
      }
    }
  }
  const factor = spread.map((sum) => (sum > 0 ? 1 / Math.sqrt(sum / count) : 1));
  return { mean, factor };
};

export const noScaling = (features: number): Scaling => ({
  mean: new Float64Array(features),
  factor: new Float64Array(features).fill(1),
});
