import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import type { Run } from '../../src/plan/plan.ts';
import { runIdOf } from '../../src/plan/run-identity.ts';
import { parseRun } from '../../src/record/parse-run-files.ts';
import { runDirectory } from '../../src/record/run-recorder.ts';
import { readTensors } from '../../src/system/safetensors.ts';
import { weightsFileOf } from '../../src/record/starting-weights.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { metricsIn } from '../support/toy-training.ts';
import { plan, planned, shownOf, train, trained } from '../support/trained-runs.ts';

const weightsOf = (folder: string, run: Run) =>
  new Map(
    [...readTensors(weightsFileOf(runDirectory(join(folder, 'runs'), run))).tensors].map(
      ([key, { values }]) => [key.slice('weights/'.length), [...values]],
    ),
  );

test('frozen variables stay the same bit for bit, and have no optimizer state', async () => {
  const folder = temporaryDirectory();
  const parent = await trained(folder, {});
  for (const optimizer of ['name: adamw, weightDecay: 0.1, clipNorm: 0.1', 'name: sgd, momentum: 0.9']) {
    const child = await trained(folder, {
      name: 'child',
      optimizer,
      train: 'from: best:parent, freeze: ["layer1/*"], checkpointEvery: 4, keepCheckpoints: all',
    });
    const [before, after] = [weightsOf(folder, parent), weightsOf(folder, child)];
    for (const name of ['layer1/forward/kernel', 'layer1/forward/bias'])
      expect(after.get(name)).toEqual(before.get(name));
    for (const name of ['output/kernel', 'output/bias'])
      expect(after.get(name)).not.toEqual(before.get(name));
    const checkpoint = readTensors(
      join(runDirectory(join(folder, 'runs'), child), 'checkpoints', 'step-000004.safetensors'),
    );
    const state = [...checkpoint.tensors.keys()].filter((key) => key.startsWith('optimizer/'));
    expect(state.length).toBeGreaterThan(0);
    expect(state.filter((key) => key.includes('layer1'))).toEqual([]);
  }
});

test('clipNorm is that of the trained variables alone', async () => {
  const folder = temporaryDirectory();
  const clipNorm = 1e-3;
  const after = async (learningRate: number) =>
    weightsOf(
      folder,
      await trained(folder, {
        optimizer: `name: sgd, clipNorm: ${clipNorm}`,
        learningRate,
        train: 'freeze: ["layer1/*"]',
        steps: 1,
      }),
    );
  const [short, long] = [await after(1), await after(2)];
  const gradient = [...short].flatMap(([name, values]) =>
    values.map((value, at) => value - (long.get(name)?.[at] ?? Number.NaN)),
  );
  expect(Math.hypot(...gradient)).toBeCloseTo(clipNorm, 6);
});

test('the id covers the weights by their digest, however they are named', async () => {
  const folder = temporaryDirectory();
  const parent = await trained(folder, {});
  const file = weightsFileOf(runDirectory(join(folder, 'runs'), parent));
  mkdirSync(join(folder, 'weights'));
  copyFileSync(file, join(folder, 'weights', 'copy.safetensors'));
  const named = ['best:parent', parent.id.slice(0, 6), `parent/${parent.id}`, 'weights/copy.safetensors'];
  const runs: Run[] = [];
  for (const from of named) runs.push(await planned(folder, { name: 'child', train: `from: "${from}"` }));
  expect(new Set(runs.map(({ id }) => id)).size).toBe(1);
  expect(runs.map((run) => runIdOf(run))).toEqual(runs.map(({ id }) => id));
  expect(runs[0]?.start).toMatchObject({ run: `parent/${parent.id}` });
  expect(runs[3]?.start).toMatchObject({ file: 'weights/copy.safetensors' });
  const drawn = await planned(folder, { name: 'child' });
  expect(drawn.id).not.toBe(runs[0]?.id);
  expect(drawn.start).toBeUndefined();

  const other = await trained(folder, { train: 'shuffle: false' });
  const fromOther = await planned(folder, { name: 'child', train: `from: "${other.id}"` });
  expect(fromOther.id).not.toBe(runs[0]?.id);
});

test('a run starts from the weights, resumes after a kill, and records its parent', async () => {
  const folder = temporaryDirectory();
  const parent = await trained(folder, {});
  const sections = { name: 'child', train: `from: "${parent.id}", checkpointEvery: 3` };
  const run = await trained(folder, sections);
  const directory = runDirectory(join(folder, 'runs'), run);
  const text = readFileSync(join(directory, 'run.json'), 'utf8');
  const recorded = parseRun('run.json', text);
  expect(recorded.ok && recorded.value.start).toEqual(run.start);

  const origin = `starts from the weights of run parent/${parent.id} (${parent.id}), SHA-256 ${run.start?.sha256.slice(0, 12) ?? ''}`;
  expect(await shownOf(folder, run)).toEqual([origin, origin, origin]);

  // The first loss is that of the parent's last weights, not of drawn ones.
  const drawn = await trained(folder, { name: 'drawn' });
  const first = (one: Run) => metricsIn(runDirectory(join(folder, 'runs'), one))[0]?.metrics['train/loss'];
  expect(first(run)).not.toBe(first(drawn));

  const killed = join(folder, 'killed');
  mkdirSync(killed);
  mkdirSync(join(killed, 'runs', 'parent', parent.id, 'model'), { recursive: true });
  copyFileSync(
    weightsFileOf(runDirectory(join(folder, 'runs'), parent)),
    weightsFileOf(runDirectory(join(killed, 'runs'), parent)),
  );
  await train(killed, run, 8);
  expect(await train(killed, run)).toMatchObject({ reason: 'completed' });
  expect(metricsIn(runDirectory(join(killed, 'runs'), run))).toEqual(metricsIn(directory));
});

test('weights that have changed since the plan end the run with the reason', async () => {
  const folder = temporaryDirectory();
  const parent = await trained(folder, {});
  const run = await planned(folder, { name: 'child', train: 'from: best:parent' });
  const file = weightsFileOf(runDirectory(join(folder, 'runs'), parent));
  const bytes = readFileSync(file);
  bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
  writeFileSync(file, bytes);
  const outcome = await train(folder, run);
  expect(outcome.reason).toBe('failed');
  expect(outcome.message).toContain('have changed since this run was planned');
});

test('a head of another size is drawn anew where the spec says so, and nothing is silent', async () => {
  const folder = temporaryDirectory();
  const deep = await trained(folder, { model: 'hiddenSize: 5, layers: 2' });
  const { notices } = await plan(folder, { name: 'child', train: `from: "${deep.id}"` });
  expect(notices.map(({ severity, message }) => `${severity}: ${message}`)).toEqual([
    expect.stringMatching(/^warning: .* variables that the network does not have: layer2\/forward\/kernel/),
  ]);
  const wide = { name: 'child', model: 'hiddenSize: 5, bidirectional: true' };
  const shallow = await trained(folder, {});
  await expect(plan(folder, { ...wide, train: `from: "${shallow.id}"` })).rejects.toThrow(
    'output/kernel is [10, 2] here and [5, 2] there',
  );
  const run = await trained(folder, {
    ...wide,
    optimizer: 'name: sgd',
    train: `from: "${shallow.id}", reinitialize: [layer1/backward/*, output/kernel], freeze: [layer1/forward/*]`,
  });
  expect(weightsOf(folder, run).get('layer1/forward/kernel')).toEqual(
    weightsOf(folder, shallow).get('layer1/forward/kernel'),
  );
});

test('a sweep compares starting weights with none', async () => {
  const folder = temporaryDirectory();
  await trained(folder, {});
  const { value } = await plan(folder, {
    name: 'child',
    train: 'reinitialize: [output/*]',
    more: 'sweep: { axes: { train.from: [null, best:parent] } }',
  });
  expect(value.runs.map(({ start }) => start !== undefined)).toEqual([false, true]);
  expect(value.axes).toEqual(['train.from']);
});

test('the path of a file starts at the folder of the file that names it', async () => {
  const folder = temporaryDirectory();
  const parent = await trained(folder, {});
  const shared = join(folder, 'shared', 'base.yaml');
  mkdirSync(dirname(shared));
  copyFileSync(
    weightsFileOf(runDirectory(join(folder, 'runs'), parent)),
    join(folder, 'shared', 'w.safetensors'),
  );
  writeFileSync(shared, 'train: { from: w.safetensors }\n');
  const run = await planned(folder, { name: 'child', more: 'extends: shared/base.yaml' });
  expect(run.start?.file).toBe('shared/w.safetensors');
});
