import type { Diagnostic } from '../../diagnostic/diagnostic.ts';
import { listExperiments, listRuns, readRun } from '../../record/read-runs.ts';
import {
  damagedFolder,
  folderOf,
  removalOf,
  removeExperiment,
  type RunFolder,
} from '../../record/removal.ts';
import type { Execute } from '../command.ts';
import { findRun } from '../recorded.ts';
import { carryOut, type RemovalOptions } from '../removals.ts';

/** `unroll rm WHAT...` */
export const execute: Execute<RemovalOptions> = (words, options, terminal) => {
  const { runsDirectory } = options;
  const experiments = words.filter((word) => listExperiments(runsDirectory).includes(word));
  const errors: Diagnostic[] = [];
  const found = new Map<string, RunFolder>();
  const add = (folder: RunFolder) => found.set(folder.directory, folder);
  for (const word of words) {
    if (experiments.includes(word)) {
      const { runs, damaged } = listRuns(runsDirectory, { experiment: word });
      for (const one of runs) add(folderOf(one));
      for (const lost of damaged.keys()) add(damagedFolder(lost));
      continue;
    }
    const directory = findRun(runsDirectory, word, 'rm');
    if (!directory.ok) errors.push(...directory.errors);
    else {
      const run = readRun(directory.value);
      add(run.ok ? folderOf(run.value) : damagedFolder(directory.value));
    }
  }
  if (errors.length > 0) {
    terminal.report(errors, options);
    return Promise.resolve(2);
  }
  const code = carryOut(
    [...found.values()].flatMap((one) => removalOf(one, 'run') ?? []),
    options,
    terminal,
  );
  // Plans and reports go with the last run of an experiment that was named as a whole.
  if (options.yes === true) {
    for (const name of experiments) {
      const { runs, problems } = listRuns(runsDirectory, { experiment: name });
      if (runs.length === 0 && problems.length === 0) removeExperiment(runsDirectory, name);
    }
  }
  return Promise.resolve(code);
};
