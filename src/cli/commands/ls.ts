import { renderRunList, runListToJson } from '../../report/run-list.ts';
import { markStale } from '../../runner/staleness.ts';
import { listExperiments, listRuns } from '../../record/read-runs.ts';
import type { Execute } from '../command.ts';
import { unknownExperiment } from '../recorded.ts';
import { screen } from '../screen.ts';

/** `unroll ls [EXPERIMENT]` */
export const execute: Execute = (words, options, terminal) => {
  const runsDirectory = options['runsDirectory'] as string;
  const [experiment] = words;
  const names = listExperiments(runsDirectory);
  if (experiment !== undefined && !names.includes(experiment)) {
    terminal.report([unknownExperiment(experiment, { names, runsDirectory, command: 'ls' })], options);
    return Promise.resolve(2);
  }
  const { runs: recorded, problems } = listRuns(
    runsDirectory,
    experiment === undefined ? {} : { experiment },
  );
  const runs = markStale(recorded);
  if (options['json']) terminal.print(JSON.stringify(runListToJson(runs), null, 2));
  else terminal.print(renderRunList(runs, screen(process.stdout)));
  if (!options['json']) terminal.report(problems);
  return Promise.resolve(0);
};
