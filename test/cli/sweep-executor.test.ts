import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { executorOfSweep, recordExecutor } from '../../src/cli/sweep-executor.ts';
import { usualSlurm } from '../../src/plan/execution.ts';
import { listSweeps } from '../../src/record/read-sweeps.ts';
import { makePlan } from '../support/run-directories.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

test('a sweep is where it was last submitted, whatever it left behind elsewhere', () => {
  const runs = temporaryDirectory();
  const plan = makePlan({});
  expect(executorOfSweep(runs, plan)).toBe('bullmq');
  // As versions before left it.
  mkdirSync(join(runs, plan.experiment, 'sweeps', `${plan.sweepId}.slurm`), { recursive: true });
  expect(executorOfSweep(runs, plan)).toBe('slurm');
  recordExecutor(runs, plan, 'bullmq');
  expect(executorOfSweep(runs, plan)).toBe('bullmq');
  recordExecutor(runs, plan, 'slurm');
  expect(executorOfSweep(runs, plan)).toBe('slurm');
  expect(listSweeps(runs)).toMatchObject({ sweeps: [], problems: [] });
});

test('a job asks for what the schema of run.slurm has as defaults', () => {
  expect(usualSlurm).toEqual({
    partition: null,
    timeMs: 3_600_000,
    memory: null,
    cpusPerRun: 'auto',
    runsPerJob: 'auto',
    gres: null,
    options: [],
  });
});
