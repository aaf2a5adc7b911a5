import { randomBytes } from 'node:crypto';
import { chmodSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { SlurmSettings } from '../../language/config.ts';
import type { Run } from '../../plan/plan.ts';
import { writeJson, writeWhole, ensureFolder } from '../../system/files.ts';
import { packageRoot, packageVersion } from '../../system/package-root.ts';
import { shellWord } from '../../system/proposed-command.ts';
import type { TrainRequest } from '../../training/protocol.ts';
import { shipCode } from './code.ts';
import { sbatchWords, submit } from './commands.ts';
import { inBatch, slurmProtocol, type Batch } from './folder.ts';
import { packRuns } from './pack.ts';

/** What all batches of a sweep have in common. */
export interface BatchOptions {
  /** The absolute path of the folder of the sweep's batches, which the nodes share. */
  readonly directory: string;
  /** How the names of the sweep's jobs begin. */
  readonly name: string;
  readonly settings: SlurmSettings;
  /** How many tasks of an array may be active at a time; undefined for no limit. */
  readonly maxParallel: number | undefined;
  /** Milliseconds that each run will take; undefined where nothing is known. */
  readonly lengthsOf: (runs: readonly Run[]) => readonly (number | undefined)[];
}

export interface Submitted {
  readonly folder: string;
  readonly batch: Batch;
  readonly job: string;
  /** The requests of each task. */
  readonly tasks: readonly (readonly TrainRequest[])[];
}

/** CPUs for each run. */
export const cpusOfRun = ({ cpusPerRun }: SlurmSettings, threads: number): number =>
  cpusPerRun === 'auto' ? threads : Math.max(threads, cpusPerRun);

/** Runs that can be in one job array: those that need the same of a job. */
export interface RunClass {
  readonly threads: number;
  /** The folder with the compiled code of the user's own entries; undefined without a config. */
  readonly bundle: string | undefined;
  /** The time limit of a run. */
  readonly timeoutMs: number | null;
}

/** Writes the folder of a batch and submits its job array. Returns what sbatch printed if it refused. */
export const submitBatch = async (
  requests: readonly TrainRequest[],
  { threads, bundle, timeoutMs }: RunClass,
  options: BatchOptions,
): Promise<Submitted | { readonly refused: string }> => {
  const { directory, settings } = options;
  const lengths = options.lengthsOf(requests.map(({ run }) => run));
  const tasks = packRuns(lengths, settings.runsPerJob).map((job) =>
    job.flatMap((index) => requests[index] ?? []),
  );
  const label = `${Date.now().toString(36)}-${randomBytes(3).toString('hex')}`;
  const folder = join(directory, label);
  const cpus = cpusOfRun(settings, threads);
  const name = `${options.name}-${label}`;
  ensureFolder(folder);
  const code = bundle === undefined ? null : await shipCode(bundle, join(folder, inBatch.code));
  const batch: Batch = {
    protocol: slurmProtocol,
    version: packageVersion,
    name,
    submittedAt: Date.now(),
    timeMs: settings.timeMs,
    tasks: tasks.length,
    threads,
    cpusPerRun: cpus,
    code,
    timeoutMs,
    arguments: sbatchWords(settings, { name, cpus, folder }),
  };
  for (const [task, content] of tasks.entries())
    writeJson(join(folder, inBatch.task(task)), { requests: content.map((one) => portable(one, folder)) });
  const script = join(folder, inBatch.script);
  writeWhole(script, jobScript(folder));
  chmodSync(script, 0o755);
  writeJson(join(folder, inBatch.batch), batch);
  const submitted = await submit(batch.arguments, {
    tasks: `0-${tasks.length - 1}`,
    script,
    ownCode: code !== null,
  });
  return 'job' in submitted ? { folder, batch, job: submitted.job, tasks } : submitted;
};

/** A request that does not depend on the folder it is read in, with the code that travels with the batch. */
const portable = (request: TrainRequest, folder: string): TrainRequest => ({
  ...request,
  directory: resolve(request.directory),
  baseDirectory: resolve(request.baseDirectory),
  ...(request.bundle !== undefined && { bundle: join(folder, inBatch.code) }),
  ...(request.startFile !== undefined && { startFile: resolve(request.startFile) }),
});

/** The job becomes our program, so that Slurm's signals reach it. */
export const jobScript = (folder: string): string =>
  `#!/bin/sh\nexec ${[process.execPath, join(packageRoot, 'bin', 'unroll.js'), 'slurm-job', folder]
    .map(shellWord)
    .join(' ')} "$SLURM_ARRAY_TASK_ID"\n`;
