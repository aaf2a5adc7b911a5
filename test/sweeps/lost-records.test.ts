import { existsSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { createRig, until, type Rig } from '../support/rig.ts';
import { smallSpec } from '../support/small-sweep.ts';

// Real sweeps, on a machine that may have much else to do.
vi.setConfig({ testTimeout: 240_000 });

const weights = (rig: Rig, id: string) =>
  readFileSync(rig.runPath('trial', id, 'model', 'weights.safetensors')).toString('base64');

const trainedBy = (stdout: string) => (JSON.parse(stdout) as { trained: string[] }).trained;

test('a run without a readable run.json is not done, and is trained again to the same bits', async () => {
  const rig = createRig();
  rig.write('spec.yaml', smallSpec({ steps: 6, seeds: 7, run: 'concurrency: 2' }));
  expect((await rig.unroll('run', 'spec.yaml')).code).toBe(0);
  const ids = rig.runIds('trial');
  const numbers = () => ids.map((id) => [rig.metrics('trial', id), weights(rig, id)]);
  const before = numbers();
  const [missing = '', empty = '', torn = '', garbage = '', wrong = '', foreign = '', whole = ''] = ids;
  const path = (id: string) => rig.runPath('trial', id, 'run.json');
  rmSync(path(missing));
  truncateSync(path(empty));
  truncateSync(path(torn), 100);
  writeFileSync(path(garbage), '\u0000\u0001 no JSON');
  writeFileSync(path(wrong), '{ "id": 3 }');
  writeFileSync(path(foreign), readFileSync(path(whole)));

  const planned = await rig.unroll('plan', 'spec.yaml');
  expect(planned.stdout).toContain('7 runs (1 done, 6 new)');
  expect(planned.stdout).toMatch(/new \w{8}: \S*run\.json is missing\./);
  const again = await rig.unroll('run', 'spec.yaml', '--json');
  expect(again.code).toBe(0);
  expect(trainedBy(again.stdout).sort()).toEqual(ids.filter((id) => id !== whole));
  expect(numbers()).toEqual(before);
  expect((await rig.unroll('ls', '--json')).stdout.match(/"state": "done"/g)).toHaveLength(7);

  rmSync(path(missing));
  const forced = await rig.unroll('run', 'spec.yaml', '--force', '--json');
  expect(forced.code).toBe(0);
  expect(trainedBy(forced.stdout).sort()).toEqual(ids);
  expect(numbers()).toEqual(before);
});

test.each([
  ['its directory', (rig: Rig, id: string) => rig.runPath('trial', id)],
  ['the whole runs directory', (rig: Rig) => join(rig.directory, 'runs')],
])(
  'a run that loses %s while it is trained is reported, and is trained by the next run',
  async (_what, lost) => {
    const rig = createRig();
    const text = smallSpec({ steps: 500, train: 'checkpointEvery: 20', run: 'concurrency: 1' });
    rig.write('spec.yaml', text);
    const started = rig.start('run', 'spec.yaml');
    await until(() => rig.runIds('trial').some((id) => rig.lineCount('trial', id) > 5));
    const [id = ''] = rig.runIds('trial');
    // Away at once: a file that is written meanwhile would hold a removal up.
    const gone = join(rig.directory, 'gone');
    renameSync(lost(rig, id), gone);
    rmSync(gone, { recursive: true });
    const { code, stdout, stderr } = await started.finished;
    expect(code, stderr).toBe(1);
    expect(stdout).toContain(`runs/trial/${id} was removed or moved while this run was trained`);
    expect(stderr).not.toContain('bug');
    expect(existsSync(rig.runPath('trial', id, 'status.json'))).toBe(false);

    const compared = await rig.unroll('compare');
    expect(compared.code, compared.stderr).toBe(0);
    const again = await rig.unroll('resume', '--json');
    expect(again.code).toBe(0);
    expect(trainedBy(again.stdout)).toEqual([id]);
    expect(rig.status('trial', id)).toMatchObject({
      attempt: 1,
      outcome: { reason: 'completed', step: 500 },
    });
  },
);
