import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { readRegularText } from '../../system/files.ts';
import { packedFolder } from '../packed-folder.ts';
import type { Pack } from './pack.ts';

/** Raised whenever the same sequences would give another scaling. */
const scalingVersion = 1;

/** What is taken from each feature, and what the rest is then multiplied with. */
export interface Scaling {
  readonly mean: Float64Array;
  /** One over the standard deviation (of the population); 1 for a feature that is always the same. */
  readonly factor: Float64Array;
}

/**
 * The scaling that `fitScaling` finds for the sequences of the pack in `folder`. Kept in the cache, so that of the runs
 * of all sweeps only the first reads the table for it.
 */
export const keptScaling = async (folder: string, pack: Pack, sequences: Int32Array): Promise<Scaling> => {
  const members = createHash('sha256').update(sequences).digest('hex');
  const kept = await packedFolder(['scaling', scalingVersion, basename(folder), members], (into) => {
    const { mean, factor } = fitScaling(pack, sequences);
    const text = JSON.stringify({ mean: [...mean], factor: [...factor] });
    return writeFile(join(into, 'scaling.json'), text);
  });
  const { mean, factor } = JSON.parse(readRegularText(join(kept, 'scaling.json'))) as {
    readonly mean: readonly number[];
    readonly factor: readonly number[];
  };
  return { mean: Float64Array.from(mean), factor: Float64Array.from(factor) };
};

/**
 * Mean and standard deviation of each feature over all steps of the given sequences, in one pass (Welford 1962). The
 * sequences are given in rising order.
 */
const fitScaling = (pack: Pack, sequences: Int32Array): Scaling => {
  const width = pack.features.length;
  const mean = new Float64Array(width);
  const spread = new Float64Array(width);
  let count = 0;
  pack.visit(sequences, (sequence, numbers, from) => {
    const end = from + pack.steps(sequence) * width;
    for (let start = from; start < end; start += width) {
      count++;
      for (let feature = 0; feature < width; feature++) {
        const distance = (numbers[start + feature] as number) - (mean[feature] as number);
        const next = (mean[feature] as number) + distance / count;
        spread[feature] =
          (spread[feature] as number) + distance * ((numbers[start + feature] as number) - next);
        mean[feature] = next;
      }
    }
  });
  const factor = spread.map((sum) => (sum > 0 ? 1 / Math.sqrt(sum / count) : 1));
  return { mean, factor };
};

export const noScaling = (features: number): Scaling => ({
  mean: new Float64Array(features),
  factor: new Float64Array(features).fill(1),
});
