import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { TrainerState } from '../../src/training/checkpoint.ts';
import { readTensors } from '../../src/system/safetensors.ts';
import { createRig, until, type Rig } from '../support/rig.ts';

/** A network that takes a few milliseconds a step; `steps` decides how long a run lasts. */
const spec = (options: {
  steps: number;
  learningRate?: string;
  seeds?: string;
  train?: string;
  run?: string;
}) => `
version: 1
name: trial
dataset: { name: toy-sequences, trainSize: 200, testSize: 50 }
model: { name: lstm, hiddenSize: 16 }
optimizer: { name: adam, learningRate: ${options.learningRate ?? '0.01'} }
train: { batchSize: 16, steps: ${options.steps}, displayEvery: 1${options.train ? `, ${options.train}` : ''} }
objective: { metric: test/accuracy, goal: maximize }
seeds: ${options.seeds ?? '[1]'}
${options.run ? `run: { ${options.run} }` : ''}
`;

const metricsOfAll = (rig: Rig) =>
  Object.fromEntries(rig.runIds('trial').map((id) => [id, rig.metrics('trial', id)]));

const firstRun = (rig: Rig) => rig.runIds('trial')[0] ?? '';

describe('the same bits', () => {
  test('at concurrency 1 and 2, and twice in a row', async () => {
    const one = createRig();
    const two = createRig();
    const again = createRig();
    const text = spec({ steps: 30, seeds: '[1, 2, 3, 4]' });
    for (const rig of [one, two, again]) rig.write('spec.yaml', text);
    expect((await one.unroll('run', 'spec.yaml', '--concurrency', '1')).code).toBe(0);
    expect((await two.unroll('run', 'spec.yaml', '--concurrency', '2')).code).toBe(0);
    expect((await again.unroll('run', 'spec.yaml', '--concurrency', '2')).code).toBe(0);
    expect(one.runIds('trial')).toHaveLength(4);
    expect(metricsOfAll(two)).toEqual(metricsOfAll(one));
    expect(metricsOfAll(again)).toEqual(metricsOfAll(one));
  });

  test('after an interruption and a resumption, and after a kill', async () => {
    const calm = createRig();
    const disturbed = createRig();
    const text = spec({
      steps: 1500,
      train: 'checkpointEvery: 50, evaluateEvery: 100',
      run: 'retries: 0',
    }).replace('testSize: 50', 'testSize: 50, validationSize: 40');
    for (const rig of [calm, disturbed]) rig.write('spec.yaml', text);
    expect((await calm.unroll('run', 'spec.yaml')).code).toBe(0);

    const lines = () => disturbed.lineCount('trial', firstRun(disturbed));
    const interrupted = disturbed.start('run', 'spec.yaml');
    await until(() => lines() > 200);
    interrupted.process.kill('SIGINT');
    expect((await interrupted.finished).code).toBe(130);
    expect(disturbed.status('trial', firstRun(disturbed)).outcome?.reason).toBe('interrupted');

    const killed = disturbed.start('run', 'spec.yaml');
    const before = lines();
    await until(() => lines() > before + 300);
    const { holder } = disturbed.status('trial', firstRun(disturbed));
    process.kill(holder?.pid ?? 0, 'SIGKILL');
    expect((await killed.finished).code).toBe(1);
    expect(disturbed.status('trial', firstRun(disturbed)).outcome?.reason).toBe('crashed');

    expect((await disturbed.unroll('resume')).code).toBe(0);
    expect(metricsOfAll(disturbed)).toEqual(metricsOfAll(calm));
    expect(readFileSync(disturbed.runPath('trial', firstRun(disturbed), 'log.txt'), 'utf8')).not.toContain(
      'recorded before',
    );
  });
});

describe('a run that ends badly', () => {
  test('a loss that is no number any more ends the run with its reason, and harms no other', async () => {
    const rig = createRig();
    rig.write(
      'spec.yaml',
      `
version: 1
name: trial
dataset: { name: adding-problem, length: 10, trainSize: 200, testSize: 50 }
model: { name: lstm, hiddenSize: 8 }
optimizer: { name: sgd }
train: { batchSize: 16, steps: 200, displayEvery: 1 }
objective: { metric: test/loss, goal: minimize }
sweep: { axes: { optimizer.learningRate: [1000, 0.01] } }
`,
    );
    const { code, stdout } = await rig.unroll('run', 'spec.yaml');
    expect(code).toBe(1);
    const outcomes = rig.runIds('trial').map((id) => rig.status('trial', id).outcome);
    expect(outcomes.map((outcome) => outcome?.reason).sort()).toEqual(['completed', 'diverged']);
    expect(stdout).toMatch(/the loss became (NaN|Infinity) at step \d+/);
    const diverged =
      rig.runIds('trial').find((id) => rig.status('trial', id).outcome?.reason === 'diverged') ?? '';
    expect(['NaN', 'Infinity']).toContain(rig.metrics('trial', diverged).at(-1)?.metrics['train/loss']);

    const before = rig.status('trial', diverged).attempt;
    expect((await rig.unroll('run', 'spec.yaml')).code).toBe(1);
    expect(rig.status('trial', diverged).attempt).toBe(before);
    await rig.unroll('run', 'spec.yaml', '--retry-failed');
    expect(rig.status('trial', diverged).attempt).toBe(before + 1);
  });

  test('a killed child ends its run as crashed; the others go on, and a retry trains it', async () => {
    const rig = createRig();
    rig.write(
      'spec.yaml',
      spec({ steps: 800, seeds: '[1, 2]', run: 'concurrency: 2, threadsPerRun: 1, retries: 1' }),
    );
    const started = rig.start('run', 'spec.yaml');
    await until(
      () =>
        rig.runIds('trial').length === 2 &&
        rig.runIds('trial').every((id) => existsSync(rig.runPath('trial', id, 'status.json'))),
    );
    const victim = firstRun(rig);
    process.kill(rig.status('trial', victim).holder?.pid ?? 0, 'SIGKILL');
    const { code } = await started.finished;
    expect(code).toBe(0);
    expect(rig.status('trial', victim)).toMatchObject({ attempt: 2, outcome: { reason: 'completed' } });
    const steps = rig.metrics('trial', victim).map(({ step }) => step);
    expect(steps.filter((step) => step < 800)).toEqual(Array.from({ length: 799 }, (_, index) => index + 1));
  });

  test('a time limit ends the run with a checkpoint', async () => {
    const rig = createRig();
    rig.write('spec.yaml', spec({ steps: 1_000_000, run: 'timeout: 15s' }));
    const { code, stdout } = await rig.unroll('run', 'spec.yaml');
    expect(code).toBe(1);
    const { outcome } = rig.status('trial', firstRun(rig));
    const step = outcome?.step ?? 0;
    expect(outcome).toMatchObject({
      reason: 'timed-out',
      message: `stopped after step ${step} of 1000000; a checkpoint is kept`,
    });
    expect(existsSync(rig.runPath('trial', firstRun(rig), 'checkpoints', 'last.safetensors'))).toBe(true);
    expect(stdout).toContain(`timed-out after step ${step}: `);
  });
});

test('a run whose runner is killed keeps its work: it ends itself with a checkpoint', async () => {
  const rig = createRig();
  rig.write('spec.yaml', spec({ steps: 1_000_000 }));
  const started = rig.start('run', 'spec.yaml');
  await until(
    () =>
      rig.runIds('trial').length === 1 && existsSync(rig.runPath('trial', firstRun(rig), 'metrics.jsonl')),
  );
  await until(() => rig.lineCount('trial', firstRun(rig)) > 20);
  started.process.kill('SIGKILL');
  await started.finished;
  await until(() => rig.status('trial', firstRun(rig)).state === 'ended');
  expect(rig.status('trial', firstRun(rig)).outcome?.reason).toBe('interrupted');
  expect(existsSync(rig.runPath('trial', firstRun(rig), 'checkpoints', 'last.safetensors'))).toBe(true);
});

test('what is done is not trained again, unless forced', async () => {
  const rig = createRig();
  rig.write('spec.yaml', spec({ steps: 5 }));
  await rig.unroll('run', 'spec.yaml');
  const before = rig.status('trial', firstRun(rig)).startedAt;
  expect((await rig.unroll('run', 'spec.yaml')).code).toBe(0);
  expect(rig.status('trial', firstRun(rig)).startedAt).toBe(before);
  expect((await rig.unroll('run', 'spec.yaml', '--force')).code).toBe(0);
  expect(rig.status('trial', firstRun(rig)).startedAt).toBeGreaterThan(before);
});

test('early stopping ends a training that has stopped improving, with the weights of its best evaluation', async () => {
  const rig = createRig();
  const train = 'evaluateEvery: 5, earlyStopping: { patience: 2 }';
  const text = spec({ steps: 2000, learningRate: '0.3', train });
  rig.write('spec.yaml', text.replace('testSize: 50', 'testSize: 50, validationSize: 40'));
  expect((await rig.unroll('run', 'spec.yaml')).code).toBe(0);
  const run = firstRun(rig);
  const { outcome } = rig.status('trial', run);
  const losses = rig
    .metrics('trial', run)
    .flatMap(({ step, metrics }) =>
      metrics['val/loss'] === undefined ? [] : [{ step, value: Number(metrics['val/loss']) }],
    );
  const best = losses.reduce((low, one) => (one.value < low.value ? one : low));
  expect(outcome).toMatchObject({
    reason: 'completed',
    step: best.step + 10,
    keptStep: best.step,
    message: `stopped early at step ${best.step + 10}: no improvement since step ${best.step}; the weights of step ${best.step} are kept`,
  });
  const weights = (...path: string[]) => readTensors(rig.runPath('trial', run, ...path)).tensors;
  expect(weights('model', 'weights.safetensors')).toEqual(weights('checkpoints', 'best.safetensors'));
});

test('early stopping by a metric that should rise waits while it rises, and keeps the highest', async () => {
  const rig = createRig();
  const train = 'evaluateEvery: 4, earlyStopping: { metric: val/accuracy, patience: 3 }';
  const text = spec({ steps: 400, train }).replace('testSize: 50', 'testSize: 50, validationSize: 40');
  rig.write('spec.yaml', text);
  const { code, stdout, stderr } = await rig.unroll('run', 'spec.yaml');
  expect(code, stdout + stderr).toBe(0);
  const run = firstRun(rig);
  const { outcome } = rig.status('trial', run);
  const accuracies = rig
    .metrics('trial', run)
    .flatMap(({ step, metrics }) =>
      metrics['val/accuracy'] === undefined ? [] : [{ step, value: Number(metrics['val/accuracy']) }],
    );
  const best = accuracies.reduce((high, one) => (one.value > high.value ? one : high));
  expect(best.value).toBeGreaterThan(accuracies[0]?.value ?? NaN);
  expect(outcome).toMatchObject({ step: best.step + 12, keptStep: best.step });
  expect(outcome?.metrics['val/accuracy']).toBe(best.value);

  rig.write('spec.yaml', text.replace('patience: 3', 'patience: 3, goal: minimize'));
  const refused = await rig.unroll('run', 'spec.yaml');
  expect(refused.code).toBe(2);
  expect(refused.stderr).toContain('A higher val/accuracy is better, and the goal is to minimize it.');
  expect(rig.runIds('trial')).toEqual([run]);
});

describe('the checkpoints that stay', () => {
  const kept = async (train: string) => {
    const rig = createRig();
    const text = spec({ steps: 60, train }).replace('testSize: 50', 'testSize: 50, validationSize: 40');
    rig.write('spec.yaml', text);
    expect((await rig.unroll('run', 'spec.yaml')).code).toBe(0);
    const folder = rig.runPath('trial', firstRun(rig), 'checkpoints');
    return { files: existsSync(folder) ? readdirSync(folder).sort() : [], folder, rig };
  };

  test('last: that of the last step, with what a longer training continues from', async () => {
    const { files, folder } = await kept('checkpointEvery: 50');
    expect(files).toEqual(['last.safetensors']);
    const { tensors, metadata } = readTensors(join(folder, 'last.safetensors'));
    expect(JSON.parse(metadata['state'] ?? '')).toMatchObject({ step: 60 });
    expect([...tensors.keys()].some((key) => key.startsWith('optimizer/'))).toBe(true);
  });

  test('all: every one of checkpointEvery, under its step, with what a training goes on from', async () => {
    const { files, folder } = await kept('checkpointEvery: 20, keepCheckpoints: all');
    expect(files).toEqual([
      'last.safetensors',
      'step-000020.safetensors',
      'step-000040.safetensors',
      'step-000060.safetensors',
    ]);
    const { tensors, metadata } = readTensors(join(folder, 'step-000040.safetensors'));
    expect(JSON.parse(metadata['state'] ?? '')).toMatchObject({ step: 40 });
    expect([...tensors.keys()].some((key) => key.startsWith('optimizer/'))).toBe(true);
  });

  test('best: the weights of the evaluation with the lowest loss', async () => {
    const { files, folder, rig } = await kept('evaluateEvery: 5, keepCheckpoints: best');
    expect(files).toEqual(['best.safetensors', 'last.safetensors']);
    const { best } = JSON.parse(
      readTensors(join(folder, 'best.safetensors')).metadata['state'] ?? '',
    ) as TrainerState;
    const losses = rig
      .metrics('trial', firstRun(rig))
      .flatMap(({ step, metrics }) =>
        metrics['val/loss'] === undefined ? [] : [{ step, value: Number(metrics['val/loss']) }],
      );
    expect(losses).toHaveLength(12);
    expect(best).toEqual(losses.reduce((low, one) => (one.value < low.value ? one : low)));
  });
});
