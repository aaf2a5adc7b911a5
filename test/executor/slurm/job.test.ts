import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { shipCode } from '../../../src/executor/slurm/code.ts';
import {
  inBatch,
  readRefused,
  readStarted,
  slurmProtocol,
  type Batch,
} from '../../../src/executor/slurm/folder.ts';
import { runJob } from '../../../src/executor/slurm/job.ts';
import { packageVersion } from '../../../src/system/package-root.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const hourMs = 3_600_000;

/** The folder of a batch with one task that has no runs, and with a module of the user's own. */
const batchFolder = async (changes: Partial<Batch> = {}): Promise<string> => {
  const folder = temporaryDirectory('slurm-batch');
  const written = temporaryDirectory('slurm-code');
  writeFileSync(join(written, 'module0.js'), 'export default {};\n');
  const batch: Batch = {
    protocol: slurmProtocol,
    version: packageVersion,
    name: 'unroll-test',
    submittedAt: Date.now(),
    timeMs: hourMs,
    tasks: 1,
    threads: 1,
    cpusPerRun: 1,
    code: await shipCode(written, join(folder, inBatch.code)),
    timeoutMs: null,
    arguments: [],
    ...changes,
  };
  writeFileSync(join(folder, inBatch.batch), JSON.stringify(batch));
  writeFileSync(join(folder, inBatch.task(0)), JSON.stringify({ requests: [] }));
  return folder;
};

/** What a job prints that refuses to train, which is also what the submitter reads. */
const refusalOf = async (folder: string): Promise<string | undefined> => {
  const printed: string[] = [];
  const trained = await runJob(folder, 0, (line) => printed.push(line));
  expect(trained).toBe(printed.length === 0);
  expect(readRefused(folder, 0)).toBe(printed[0]);
  expect(readStarted(folder, 0) !== undefined).toBe(trained);
  return printed[0];
};

it('trains a task of this version, with the code that was sent', async () => {
  expect(await refusalOf(await batchFolder())).toBeUndefined();
});

it('refuses to train for another version', async () => {
  const expected = /has Unroll .* submitted by 0\.0\.1\. Install the same version/;
  expect(await refusalOf(await batchFolder({ version: '0.0.1' }))).toMatch(expected);
});

it('refuses to train where the clock is more than an hour behind', async () => {
  // Time passes until the job compares its clock.
  const folder = await batchFolder({ submittedAt: Date.now() + 1.5 * hourMs });
  expect(await refusalOf(folder)).toMatch(/The clock of .* is at least 1h.* behind that of the submitter/);
});

it('refuses code that was changed or added on its way', async () => {
  const folder = await batchFolder();
  const [name = ''] = readdirSync(join(folder, inBatch.code));
  writeFileSync(join(folder, inBatch.code, name), 'export default { models: [] };\n');
  expect(await refusalOf(folder)).toContain(`${name} is not the code that was submitted`);

  const other = await batchFolder();
  writeFileSync(join(other, inBatch.code, 'more.js'), '');
  expect(await refusalOf(other)).toContain('more.js is not the code that was submitted');
});

it('reports a folder that it cannot read', async () => {
  const printed: string[] = [];
  expect(await runJob('/nowhere/at/all', 0, (line) => printed.push(line))).toBe(false);
  expect(printed).toEqual(['/nowhere/at/all/task-0.json cannot be read on this node.']);
});
