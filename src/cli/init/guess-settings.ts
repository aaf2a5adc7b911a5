import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { guessSeriesSettings } from '../../data/series/guess-columns.ts';
import { guessTableSettings } from '../../data/table/guess-table.ts';

/** The settings that a dataset's own file suggests; `name` starts at `folder`. Undefined where there is no such file. */
export const guessSettings = (
  dataset: string,
  name: string,
  folder: string,
): Readonly<Record<string, unknown>> | undefined => {
  const guess = guesses[dataset];
  const path = resolve(folder, name);
  const isThere = guess !== undefined && statSync(path, { throwIfNoEntry: false })?.isFile() === true;
  return isThere ? guess(path) : undefined;
};

const guesses: Readonly<Record<string, (path: string) => Readonly<Record<string, unknown>>>> = {
  'csv-sequences': guessTableSettings,
  'csv-series': (path) => guessSeriesSettings({ path }, 'csv'),
  'jsonl-series': (path) => guessSeriesSettings({ path }, 'jsonl'),
};
