import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Type } from '@sinclair/typebox';
import type { ExecutorName } from '../executor/executor.ts';
import { batchesDirectory } from '../executor/slurm/folder.ts';
import type { Plan } from '../plan/plan.ts';
import { readJsonIfWhole, writeJson } from '../system/files.ts';
import { oneOf, parserOf } from '../system/schema.ts';
import { ignoringSystemErrors } from '../system/system-error.ts';

type Elsewhere = Exclude<ExecutorName, 'local'>;

const parse = parserOf(Type.Object({ executor: oneOf(['bullmq', 'slurm']) }));

/** `runs/<experiment>/sweeps/<sweep id>.executor` */
const pathOf = (runsDirectory: string, { experiment, sweepId }: Plan): string =>
  join(runsDirectory, experiment, 'sweeps', `${sweepId}.executor`);

/** Records where the runs of a sweep were last submitted. Without it, the folder of Slurm's jobs decides. */
export const recordExecutor = (runsDirectory: string, plan: Plan, executor: Elsewhere): void =>
  ignoringSystemErrors(() => writeJson(pathOf(runsDirectory, plan), { executor }));

/** Which of the other places has the runs of a sweep. */
export const executorOfSweep = (runsDirectory: string, plan: Plan): Elsewhere =>
  readJsonIfWhole(pathOf(runsDirectory, plan), parse)?.executor ??
  (existsSync(resolve(batchesDirectory(runsDirectory, plan))) ? 'slurm' : 'bullmq');
