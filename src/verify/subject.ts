import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { asError, failed, failure, success, type Diagnostic, type Result } from '../diagnostic/diagnostic.ts';
import type { Run } from '../plan/plan.ts';
import { readRun } from '../record/read-runs.ts';
import { listSweeps } from '../record/read-sweeps.ts';
import { fileNames, parseEnvironment, type EnvironmentFile, type StatusFile } from '../record/run-files.ts';
import { startFileOf } from '../record/starting-weights.ts';
import { proposedCommand } from '../system/proposed-command.ts';
import { readJsonIfWhole } from '../system/files.ts';

/** A recorded run with everything needed to train it again. */
export interface Subject {
  /** The run's directory. */
  readonly directory: string;
  /** As it is recorded. */
  readonly run: Run;
  readonly status: StatusFile;
  readonly environment: EnvironmentFile | undefined;
  /** The run with the paths at which its data lies here. */
  readonly here: Run;
  /** Where relative paths start. */
  readonly baseDirectory: string;
  /** The config with the user's own entries. */
  readonly config: string | undefined;
  /** The spec as it was written; undefined where no plan of the run is recorded, or can be read. */
  readonly spec: string | undefined;
  /** Why plans cannot be read, one of which may be the run's; empty where its plan is known. */
  readonly unreadable: readonly Diagnostic[];
  /** The weights that the run starts from. */
  readonly startFile: string | undefined;
}

/**
 * The subject of a recorded run. Its plan names the folder of the spec, where relative paths start; `specDirectory` is used
 * instead where it is given.
 */
export const recordedSubject = (
  directory: string,
  {
    runsDirectory,
    specDirectory,
  }: { readonly runsDirectory: string; readonly specDirectory?: string | undefined },
): Result<Subject> => {
  const read = readRun(directory);
  if (!read.ok) return failed(read.errors.map(asError));
  const { run, status, state } = read.value;
  if (!status?.outcome) {
    return failure({
      code: 'conflict',
      severity: 'error',
      message: `The run ${run.experiment}/${run.id} has not ended: it is ${state}.`,
      expected: 'a run that has ended',
      help: `Train it to its end with \`${proposedCommand(['resume', run.experiment], runsDirectory)}\`.`,
    });
  }
  const { sweeps, problems } = listSweeps(runsDirectory, { experiment: run.experiment });
  const plan = sweeps.find((one) => one.plan.runs.some(({ id }) => id === run.id))?.plan;
  const baseDirectory = resolve(specDirectory ?? (plan ? dirname(plan.spec.path) : '.'));
  const config = run.code === undefined ? undefined : plan?.config;
  return success({
    directory,
    run,
    status,
    environment: readJsonIfWhole(join(directory, fileNames.environment), parseEnvironment),
    here: run,
    baseDirectory,
    config: config === undefined ? undefined : resolve(baseDirectory, config),
    spec: plan?.spec.text,
    startFile: startFileOf(run, { runsDirectory: dirname(dirname(resolve(directory))), baseDirectory }),
    unreadable: plan ? [] : problems,
  });
};

/** Whether a path is there that a run needs; the diagnostic names it. */
export const checkThere = (path: string | undefined, what: string): Result<void> =>
  path === undefined || existsSync(path)
    ? success(undefined)
    : failure({
        code: 'file-missing',
        severity: 'error',
        message: `${what} is not there any more: ${path}.`,
        expected: 'the files that the run was trained with',
        help: 'Put it back, or name the folder that relative paths start from with `--spec-directory`.',
      });
