import { join } from 'node:path';
import type { PartName } from '../data/description.ts';

import { fileNames, parseData } from '../record/run-files.ts';
import type { RecordedRun } from '../record/run-state.ts';
import { readJsonIfWhole } from '../system/files.ts';

/** The accuracy of always answering the most frequent class of a part: what a result must beat to be one. */
export interface Majority {
  readonly part: PartName;
  /** Null where folds or other splits of the runs have different ones. */
  readonly label: string | null;
  /** The share of the part's targets that have the class; of several parts the mean. */
  readonly share: number;
  /** The smallest and the largest share where folds or other splits of the runs have different ones. */
  readonly range?: readonly [number, number];
}

/** The majority class of the data that these runs were scored on; null where the task has no classes. */
export const majorityOf = (runs: readonly RecordedRun[], metric: string): Majority | null => {
  const [prefix = ''] = metric.split('/');
  const part = prefix === 'val' ? 'validation' : prefix === 'train' ? 'train' : 'test';
  const found = new Map<string, { readonly label: string; readonly share: number }>();
  for (const { directory, run } of runs) {
    const key = JSON.stringify([run.datasetDigest, run.config.dataset]);
    if (found.has(key)) continue;
    const data = readJsonIfWhole(join(directory, fileNames.data), parseData);
    if (!data) continue;
    const majority = data.parts[part]?.majority;
    if (!majority) return null;
    found.set(key, majority);
  }
  if (found.size === 0) return null;
  const labels = new Set([...found.values()].map(({ label }) => label));
  const shares = [...found.values()].map(({ share }) => share);
  const range = [Math.min(...shares), Math.max(...shares)] as const;
  const isSame = range[0] === range[1];
  const [label = null] = labels;
  return {
    part,
    label: labels.size === 1 ? label : null,
    share: isSame ? range[0] : shares.reduce((sum, share) => sum + share, 0) / shares.length,
    ...(!isSame && { range }),
  };
};
