import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { recordedGroups } from '../../../src/mlflow/journal/sweeps.ts';
import { syncRecorded } from '../../../src/mlflow/sync/sync-recorded.ts';
import { makePlan, writeRunDirectory, writeSweep } from '../../support/run-directories.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const rewrite = (directory: string, name: string, from: string, to: string) => {
  const path = join(directory, name);
  const text = readFileSync(path, 'utf8');
  expect(text).toContain(from);
  writeFileSync(path, text.replace(from, to));
};

test('a run whose files cannot be read is left out with a problem, and the others are sent', () => {
  const runs = temporaryDirectory();
  const plan = makePlan({ axes: { 'model.hiddenSize': [8, 16, 32] } });
  const [first = '', second = ''] = writeSweep(runs, plan);
  rewrite(first, 'status.json', '"completed"', '"teleported"');
  rewrite(second, 'run.json', '"seed"', '"sead"');
  const { groups, problems } = recordedGroups(runs, plan.experiment);
  expect(groups.map(({ own }) => [...own.keys()])).toEqual([[plan.runs[2]?.id]]);
  expect(problems.map(({ code }) => code)).toEqual(['damaged-record', 'damaged-record']);
  const messages = problems.map(({ message }) => message).join('\n');
  expect(messages).toContain(join(first, 'status.json'));
  expect(messages).toContain('"teleported"');
  expect(messages).toContain(join(second, 'run.json'));
});

test('unroll sync of a run that cannot be read reports why', async () => {
  const runs = temporaryDirectory();
  const run = makePlan().runs[0] ?? expect.fail();
  const directory = writeRunDirectory(runs, run);
  rewrite(directory, 'status.json', '"ended"', '"paused"');
  const options = { runsDirectory: runs, what: run.id, env: {}, print: () => undefined };
  const result = await syncRecorded(options);
  expect(result).toMatchObject({ ok: false, errors: [{ code: 'damaged-record', severity: 'error' }] });
});
