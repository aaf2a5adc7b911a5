import { join } from 'node:path';
import type { PartName } from '../data/description.ts';

import { fileNames, parseData } from '../record/run-files.ts';
import type { RecordedRun } from '../record/run-state.ts';
import { readJsonIfWhole } from '../system/files.ts';

/** The accuracy of always answering the most frequent class of a part: what a result must beat to be one. */
export interface Majority {
  readonly part: PartName;
  readonly label: string;
  /** The share of the part's targets that have the class. */
  readonly share: number;
}

/** The majority class of the data that these runs were scored on; null where the task has no classes. */
export const majorityOf = (runs: readonly RecordedRun[], metric: string): Majority | null => {
  const [prefix = ''] = metric.split('/');
  const part = prefix === 'val' ? 'validation' : prefix === 'train' ? 'train' : 'test';
  for (const { directory } of runs) {
    const data = readJsonIfWhole(join(directory, fileNames.data), parseData);
    if (!data) continue;
    const majority = data.parts[part]?.majority;
    return majority ? { part, ...majority } : null;
  }
  return null;
};
