import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { createRig, until } from '../support/rig.ts';
import { smallSpec } from '../support/small-sweep.ts';

// Real sweeps, on a machine that may have much else to do.
vi.setConfig({ testTimeout: 240_000 });

test('neither an edit nor the loss of the spec touches a running or resumed sweep; --updated takes it', async () => {
  const rig = createRig();
  rig.write('spec.yaml', smallSpec({ steps: 400, hiddenSizes: [4, 8], run: 'concurrency: 1' }));
  const started = rig.start('run', 'spec.yaml');
  await until(() => rig.runIds('trial').some((id) => rig.lineCount('trial', id) > 5));
  rig.write('spec.yaml', smallSpec({ steps: 3, hiddenSizes: [8, 16], seeds: 2 }));
  started.process.kill('SIGINT');
  expect((await started.finished).code).toBe(130);

  const resumed = await rig.unroll('resume', '--limit', '1');
  expect(resumed.stdout).toMatch(/spec\.yaml is not what this sweep was started with:\n +frozen +today\n/);
  expect(resumed.stdout).toMatch(/model\.hiddenSize +4, 8 +8, 16\n/);
  expect(resumed.stdout).toMatch(/train\.steps +400 +3\n/);
  expect(resumed.stdout).toMatch(/seeds +1 +1, 2\n/);
  expect(resumed.stdout).toMatch(/runs +2 runs +4 runs \(4 new, 2 gone\)/);

  rmSync(join(rig.directory, 'spec.yaml'));
  const last = await rig.unroll('resume');
  expect(last.code).toBe(0);
  expect(last.stdout).toContain('spec.yaml is not there any more; going on with the frozen plan.');
  const outcomes = () => rig.runIds('trial').map((id) => rig.status('trial', id).outcome?.step);
  expect(outcomes()).toEqual([400, 400]);
  expect((await rig.unroll('resume', '--updated')).code).toBe(2);

  rig.write('spec.yaml', smallSpec({ steps: 3, hiddenSizes: [4, 8] }));
  expect((await rig.unroll('resume', '--updated')).code).toBe(0);
  expect(outcomes().sort()).toEqual([3, 3, 400, 400]);
});

test('a plan that was frozen with other code is not trained under its old ids', async () => {
  const rig = createRig();
  rig.write('spec.yaml', smallSpec({ steps: 3, seeds: 2 }));
  expect((await rig.unroll('run', 'spec.yaml', '--limit', '1')).code).toBe(0);
  const folder = join(rig.directory, 'runs', 'trial', 'sweeps');
  const path = join(folder, readdirSync(folder).find((name) => name.endsWith('.json')) ?? '');
  writeFileSync(path, readFileSync(path, 'utf8').replaceAll(/"model": \d+/g, '"model": 999'));
  const { code, stderr } = await rig.unroll('resume');
  expect(code).toBe(2);
  expect(stderr).toMatch(/\[code-changed\] .*The model lstm is now version \d+, was 999\./);
  expect(rig.runIds('trial')).toHaveLength(1);
});
