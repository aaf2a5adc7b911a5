import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { randomStream } from '../../src/data/random.ts';
import { planExperiment } from '../../src/plan/plan-experiment.ts';
import { parseEvaluation } from '../../src/record/run-files.ts';
import { writeRunPlots } from '../../src/report/run-plots.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { trainUntil } from '../support/toy-training.ts';

/** Trains the only run of a spec on a file `a.csv`, and returns what it recorded. */
const train = async (lines: readonly string[], { dataset, steps }: { dataset: string; steps: number }) => {
  const folder = temporaryDirectory('forecast');
  const file = join(folder, 'a.csv');
  writeFileSync(file, `${lines.join('\n')}\n`);
  const spec = join(folder, 'spec.yaml');
  writeFileSync(
    spec,
    `version: 1
name: trial
dataset: { name: csv-series, file: '${file}', time: t, targets: [y], ${dataset} }
model: { name: lstm, hiddenSize: 16 }
optimizer: { name: adam, learningRate: 0.02 }
train: { batchSize: 32, steps: ${steps}, displayEvery: 100, evaluateEvery: 100 }
`,
  );
  const plan = await planExperiment(spec, { cores: 1 });
  if (!plan.ok) throw new Error(plan.errors.map(({ message }) => message).join(' '));
  const [run] = plan.value.runs;
  if (!run) throw new Error('the spec has no run');
  const directory = join(folder, run.id);
  mkdirSync(directory);
  const outcome = await trainUntil(run, directory, Infinity);
  expect(outcome).toMatchObject({ reason: 'completed' });
  const evaluation = parseEvaluation(JSON.parse(readFileSync(join(directory, 'evaluation.json'), 'utf8')));
  if (!evaluation) throw new Error('evaluation.json cannot be read');
  return { directory, metrics: outcome.metrics, evaluation };
};

test('a future covariate that alone decides the target is learnt', async () => {
  const random = randomStream(1, 'covariate');
  const rows = Array.from({ length: 600 }, (_, t) => {
    const x = 2 * random.uniform() - 1;
    return { t, x, y: 50 + 20 * Math.sin(3 * x) };
  });
  const { metrics } = await train(['t,x,y', ...rows.map(({ t, x, y }) => `${t},${x},${y}`)], {
    dataset: 'future: [x], window: 6, horizon: 6',
    steps: 250,
  });
  const truths = rows.slice(510).map(({ y }) => y);
  const mean = truths.reduce((sum, y) => sum + y, 0) / truths.length;
  const variance = truths.reduce((sum, y) => sum + (y - mean) ** 2, 0) / truths.length;
  expect(1 - (metrics['test/mse'] ?? NaN) / variance).toBeGreaterThan(0.99);
}, 60_000);

test('with 30 % missing at random at most 10 % of the skill is lost, and everything is recorded', async () => {
  const [noise, holes] = [randomStream(1, 'noise'), randomStream(1, 'holes')];
  const values = Array.from({ length: 900 }, (_, t) => {
    const wave = 20 * Math.sin((2 * Math.PI * t) / 12) + 8 * Math.sin((2 * Math.PI * t) / 31);
    return { y: (wave + 4 * (noise.uniform() - 0.5)).toFixed(3), isMissing: holes.uniform() < 0.3 };
  });
  const skillOf = async (missing: string) => {
    const lines = values.map(({ y, isMissing }, t) => `${t},${isMissing && missing !== 'error' ? '' : y}`);
    const trained = await train(['t,y', ...lines], {
      dataset: `window: 18, horizon: 4, missing: ${missing}`,
      steps: 300,
    });
    return { ...trained, skill: trained.metrics['test/skill'] ?? NaN };
  };
  const full = await skillOf('error');
  expect(full.skill).toBeGreaterThan(0.5);
  expect((await skillOf('interpolate')).skill).toBeGreaterThan(0.9 * full.skill);
  expect((await skillOf('mask')).skill).toBeGreaterThan(0.9 * full.skill);

  const { metrics, evaluation, directory } = full;
  const { baselines = [], maeByStep = [], forecasts = [] } = evaluation;
  expect(baselines.map(({ name, season }) => [name, season])).toEqual([
    ['naive', undefined],
    // Twice 12, where the slower wave is nearer to its own period.
    ['seasonal naive', 24],
    ['mean', undefined],
  ]);
  const best = Math.min(...baselines.map(({ mae }) => mae));
  expect(metrics['test/skill']).toBeCloseTo(1 - (metrics['test/mae'] ?? NaN) / best, 9);
  expect(maeByStep).toHaveLength(4);
  expect(maeByStep.reduce<number>((sum, mae) => sum + (mae ?? NaN), 0) / 4).toBeCloseTo(
    metrics['test/mae'] ?? NaN,
    4,
  );
  const [one] = forecasts;
  // 135 test steps: one forecast every 4 of them, with 24 steps before the first.
  expect(one?.forecasts.map(({ from }) => from).slice(0, 3)).toEqual([24, 28, 32]);
  expect(one?.truth).toHaveLength(one?.times.length ?? -1);
  const plots = await writeRunPlots(directory);
  expect(plots.map((path) => path.slice(directory.length + 1))).toEqual(
    expect.arrayContaining(['plots/forecast.svg', 'plots/error-by-horizon.svg']),
  );
}, 120_000);
