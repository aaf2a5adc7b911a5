import type { Diagnostic } from '../../diagnostic/diagnostic.ts';
import { listExperiments, listRuns, readRun, type RecordedRun } from '../../record/read-runs.ts';
import { removalOf, removeExperiment } from '../../record/removal.ts';
import type { Execute } from '../command.ts';
import { findRun } from '../recorded.ts';
import { carryOut, type RemovalOptions } from '../removals.ts';

/** `unroll rm WHAT...` */
export const execute: Execute = (words, options, terminal) => {
  const given = options as unknown as RemovalOptions;
  const { runsDirectory } = given;
  const experiments = words.filter((word) => listExperiments(runsDirectory).includes(word));
  const errors: Diagnostic[] = [];
  const found = new Map<string, RecordedRun>();
  for (const word of words) {
    if (experiments.includes(word)) {
      const { runs } = listRuns(runsDirectory, { experiment: word });
      for (const one of runs) found.set(one.directory, one);
      continue;
    }
    const directory = findRun(runsDirectory, word, 'rm');
    const run = directory.ok ? readRun(directory.value) : directory;
    if (run.ok) found.set(run.value.directory, run.value);
    else errors.push(...run.errors);
  }
  if (errors.length > 0) {
    terminal.report(errors, options);
    return Promise.resolve(2);
  }
  const code = carryOut(
    [...found.values()].flatMap((one) => removalOf(one, 'run') ?? []),
    given,
    terminal,
  );
  // Plans and reports go with the last run of an experiment that was named as a whole.
  if (given.yes === true) {
    for (const name of experiments) {
      const { runs, problems } = listRuns(runsDirectory, { experiment: name });
      if (runs.length === 0 && problems.length === 0) removeExperiment(runsDirectory, name);
    }
  }
  return Promise.resolve(code);
};
