import { listedRuns } from '../../report/listed-runs.ts';
import { renderRunList, runListToJson } from '../../report/run-list.ts';
import { markStaleNow } from '../../runner/present-content.ts';
import { listExperiments, listRuns } from '../../record/read-runs.ts';
import { allProblems, listSweeps } from '../../record/read-sweeps.ts';
import type { Execute } from '../command.ts';
import { unknownOnCommandLine } from '../recorded.ts';
import { screen } from '../screen.ts';

interface Options {
  readonly runsDirectory: string;
  readonly json?: boolean | undefined;
}

/** `unroll ls [EXPERIMENT]` */
export const execute: Execute<Options> = async (words, options, terminal) => {
  const { runsDirectory } = options;
  const [experiment] = words;
  const names = listExperiments(runsDirectory);
  if (experiment !== undefined && !names.includes(experiment))
    return terminal.refuse(
      [unknownOnCommandLine(experiment, { names, runsDirectory, command: 'ls' })],
      options,
    );
  const wanted = experiment === undefined ? {} : { experiment };
  const listed = listRuns(runsDirectory, wanted);
  const { sweeps, problems } = listSweeps(runsDirectory, wanted);
  const runs = listedRuns(await markStaleNow(listed.runs, sweeps), sweeps);
  if (options.json) terminal.print(JSON.stringify(runListToJson(runs), null, 2));
  else terminal.print(renderRunList(runs, screen(process.stdout)));
  if (!options.json) terminal.report(allProblems(listed, problems));
  return 0;
};
