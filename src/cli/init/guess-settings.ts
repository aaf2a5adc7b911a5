import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { guessSeriesSettings } from '../../data/series/guess-columns.ts';

/** The settings that a dataset's own file suggests; `name` starts at `folder`. Undefined where there is no such file. */
export const guessSettings = (
  dataset: string,
  name: string,
  folder: string,
): Readonly<Record<string, unknown>> | undefined => {
  const format = formats[dataset];
  if (format === undefined) return undefined;
  const path = resolve(folder, name);
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true
    ? guessSeriesSettings(path, format)
    : undefined;
};

const formats: Readonly<Record<string, 'csv' | 'jsonl'>> = { 'csv-series': 'csv', 'jsonl-series': 'jsonl' };
