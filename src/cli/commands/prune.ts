import { nearest } from '../../diagnostic/nearest.ts';
import { markStaleNow } from '../../runner/present-content.ts';
import { listExperiments, listRuns } from '../../record/read-runs.ts';
import { allProblems, listSweeps } from '../../record/read-sweeps.ts';
import { folderOf, removalOf } from '../../record/removal.ts';
import type { Execute } from '../command.ts';
import { unknownOnCommandLine } from '../recorded.ts';
import { carryOut, prunable, type RemovalOptions } from '../removals.ts';
import { commandLineRange } from '../usage.ts';
import { proposedCommand } from '../../system/proposed-command.ts';

interface Options extends RemovalOptions {
  readonly experiment?: string | undefined;
}

/** `unroll prune WHAT...` */
export const execute: Execute<Options> = async (words, options, terminal) => {
  const unknown = words.find((word) => !(prunable as readonly string[]).includes(word));
  if (unknown !== undefined) {
    const near = nearest(unknown, prunable);
    terminal.report(
      [
        {
          code: 'bad-argument',
          severity: 'error',
          message: `"${unknown}" is nothing that can be pruned.`,
          at: commandLineRange(['prune', ...words], unknown),
          expected: prunable.join(', '),
          ...(near !== undefined && { nearest: near }),
          help: `\`${proposedCommand(['rm', 'NAME'], options.runsDirectory)}\` deletes single runs and whole experiments.`,
        },
      ],
      options,
    );
    return 2;
  }
  const { runsDirectory, experiment } = options;
  const names = listExperiments(runsDirectory);
  if (experiment !== undefined && !names.includes(experiment))
    return terminal.refuse(
      [unknownOnCommandLine(experiment, { names, runsDirectory, command: 'prune' })],
      options,
    );
  const wanted = experiment === undefined ? {} : { experiment };
  const listed = listRuns(runsDirectory, wanted);
  const { sweeps, problems } = listSweeps(runsDirectory, wanted);
  if (!options.json) terminal.report(allProblems(listed, problems));
  const runs = await markStaleNow(listed.runs, sweeps);
  const removals = runs.flatMap((one) => {
    if (words.includes(one.state)) return removalOf(folderOf(one), 'run') ?? [];
    const finished = one.state === 'done' || one.state === 'stale';
    return finished && words.includes('checkpoints') ? (removalOf(folderOf(one), 'checkpoints') ?? []) : [];
  });
  return carryOut(removals, options, terminal);
};
