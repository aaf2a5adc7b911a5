import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { failure, type Result, success } from '../diagnostic/diagnostic.ts';
import { nearest } from '../diagnostic/nearest.ts';
import { proposedCommand } from '../system/proposed-command.ts';
import { listExperiments, listRunIds } from './read-runs.ts';
import { fileNames } from './run-files.ts';

/** Begins a reference to the best run of an experiment: `best:quickstart`. */
export const bestPrefix = 'best:';

/**
 * The directory of the run that the user means: the beginning of its id (`3fa`), of `experiment/id`, or the path of
 * its directory.
 */
export const resolveRun = (runsDirectory: string, written: string): Result<string> => {
  const wanted = written.replace(/\/+$/, '');
  const known = listExperiments(runsDirectory).flatMap((experiment) =>
    listRunIds(runsDirectory, experiment).map((id) => ({ experiment, id })),
  );
  const found = wanted
    ? known.filter(({ experiment, id }) => id.startsWith(wanted) || `${experiment}/${id}`.startsWith(wanted))
    : [];
  const [first, second] = found;
  if (first && !second) return success(join(runsDirectory, first.experiment, first.id));
  if (first) {
    const shown = found.slice(0, 8).map(({ experiment, id }) => `${experiment}/${id}`);
    return failure({
      code: 'ambiguous-run',
      severity: 'error',
      message: `${found.length} runs start with "${written}".`,
      expected: `one of ${shown.join(', ')}${found.length > shown.length ? ', ...' : ''}`,
      help: 'Write more letters of the id.',
    });
  }
  if (wanted && existsSync(join(wanted, fileNames.run))) return success(wanted);

  const near = nearest(
    wanted,
    known.flatMap(({ experiment, id }) => [id, `${experiment}/${id}`]),
  );
  return failure({
    code: 'unknown-run',
    severity: 'error',
    message: `No run in ${runsDirectory} has the id "${written}".`,
    expected: 'the beginning of a run\'s id, such as "3fa", or the path of its directory',
    ...(near !== undefined && { nearest: near }),
    help:
      known.length > 0
        ? `\`${proposedCommand(['ls'], runsDirectory)}\` shows the ${known.length} recorded run${known.length === 1 ? '' : 's'}.`
        : `Nothing is recorded there yet: \`${proposedCommand(['run', 'SPEC'], runsDirectory)}\` trains and records.`,
  });
};
