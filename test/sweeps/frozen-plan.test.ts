import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import type { Plan } from '../../src/plan/plan.ts';
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
  expect(resumed.stdout).toMatch(/spec\.yaml has changed since this sweep was started:\n +frozen +today\n/);
  expect(resumed.stdout).toMatch(/model\.hiddenSize +4, 8 +8, 16\n/);
  expect(resumed.stdout).toMatch(/train\.steps +400 +3\n/);
  expect(resumed.stdout).toMatch(/seeds +1 +1, 2\n/);
  expect(resumed.stdout).toMatch(/runs +2 runs +4 runs \(4 new, 2 gone\)/);

  rmSync(join(rig.directory, 'spec.yaml'));
  const last = await rig.unroll('resume');
  expect(last.code).toBe(0);
  expect(last.stdout).toContain('spec.yaml no longer exists; continuing with the frozen plan.');
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

test('a search that was frozen by 0.1 with a goal against its metric is resumed by that goal, or says why not', async () => {
  const rig = createRig();
  rig.write(
    'spec.yaml',
    `version: 1
name: trial
dataset: { name: toy-sequences, trainSize: 60, testSize: 20, validationSize: 20 }
model: { name: gru, hiddenSize: 4 }
optimizer: { name: adam }
train: { batchSize: 16, steps: 4, evaluateEvery: 2 }
objective: { metric: val/accuracy }
sweep: { method: tpe, samples: 3, axes: { optimizer.learningRate: { logUniform: [0.001, 0.1] } } }
`,
  );
  expect((await rig.unroll('run', 'spec.yaml', '--limit', '1')).code).toBe(0);
  const folder = join(rig.directory, 'runs', 'trial', 'sweeps');
  const path = join(folder, readdirSync(folder).find((name) => /^[0-9a-f]+\.json$/.test(name)) ?? '');
  const frozen = JSON.parse(readFileSync(path, 'utf8')) as Plan;
  const { sampler, ...search } = frozen.search ?? expect.fail();
  const spec = sampler?.spec as Record<string, Record<string, unknown>>;
  /** The plan with one known point, so that the second one is proposed. */
  const freezeAgain = (points: number, changes: Record<string, Record<string, unknown>>) => {
    const coordinates = sampler?.coordinates.slice(0, 1);
    const changed = {
      ...search,
      points,
      sampler: { ...sampler, coordinates, spec: { ...spec, ...changes } },
    };
    const plan = { ...frozen, runs: frozen.runs.slice(0, 1), search: changed };
    writeFileSync(path, JSON.stringify({ ...plan, objective: { ...frozen.objective, goal: 'minimize' } }));
  };

  freezeAgain(2, { objective: { metric: 'val/accuracy', goal: 'minimize' } });
  const resumed = await rig.unroll('resume');
  expect(resumed.code, resumed.stdout + resumed.stderr).toBe(0);
  expect(rig.runIds('trial')).toHaveLength(2);

  freezeAgain(3, {
    train: { ...spec['train'], earlyStopping: { metric: 'val/accuracy', goal: 'minimize' } },
  });
  const { code, stdout, stderr } = await rig.unroll('resume');
  expect(code).toBe(1);
  expect(stdout + stderr).toMatch(/The frozen plan of .*spec\.yaml does not fit this version of Unroll/);
  expect(stdout + stderr).toContain('A higher val/accuracy is better, and the goal is to minimize it.');
  expect(rig.runIds('trial')).toHaveLength(2);
});
