import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { randomStream } from '../../src/data/random.ts';
import type { Plan } from '../../src/plan/plan.ts';
import type { Json } from '../../src/system/json.ts';
import { planExperiment } from '../../src/plan/plan-experiment.ts';
import { createProposer, type Tried } from '../../src/plan/propose.ts';
import { proposeByTpe, type Trial } from '../../src/search/tpe.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const planOf = async (sweep: Readonly<Record<string, Json>>): Promise<Plan> => {
  const path = join(temporaryDirectory(), 'spec.yaml');
  const spec = {
    version: 1,
    name: 'searched',
    dataset: { name: 'toy-sequences' },
    model: { name: 'lstm', hiddenSize: 8 },
    optimizer: { name: 'adam', learningRate: 0.01 },
    train: { steps: 10 },
    objective: { metric: 'test/accuracy', goal: 'maximize' },
    sweep: { method: 'tpe', ...sweep },
  };
  writeFileSync(path, JSON.stringify(spec));
  const planned = await planExperiment(path, { cores: 2 });
  expect(planned.ok ? [] : planned.errors).toEqual([]);
  return (planned as { value: Plan }).value;
};

/** Proposes until the plan is full or the space used up; `value` is what a point comes to. */
const searched = async (plan: Plan, value: (config: Plan['runs'][number]['config']) => number | null) => {
  const created = await createProposer(plan, '/');
  expect(created.ok ? [] : created.errors).toEqual([]);
  const proposer = created.ok ? created.value : expect.fail();
  const runs = [...plan.runs];
  const tried: Tried[] = runs.map((run, index) => ({
    configuration: run.cell,
    coordinates: plan.search?.sampler?.coordinates[index] ?? [],
    value: value(run.config),
    level: 0,
  }));
  while (runs.length < (plan.search?.points ?? 0)) {
    const found = await proposer.propose(tried);
    const [run] = found?.runs ?? [];
    if (!found || !run) break;
    runs.push(run);
    tried.push({
      configuration: run.cell,
      coordinates: found.coordinates,
      value: value(run.config),
      level: 0,
    });
  }
  return runs;
};

const rate = ({ optimizer }: Plan['runs'][number]['config']) => Number(optimizer['learningRate']);

describe('tpe', () => {
  it('takes every point of a small space, each once, and leaves out what is excluded', async () => {
    const plan = await planOf({
      samples: 100,
      axes: { 'model.hiddenSize': { integer: [1, 5] }, 'train.batchSize': [8, 16, 32] },
      exclude: [{ 'model.hiddenSize': 3, 'train.batchSize': 8 }],
    });
    const runs = await searched(plan, () => 1);
    expect(runs).toHaveLength(14);
    expect(new Set(runs.map(({ id }) => id)).size).toBe(14);
  });

  it('comes near the best value, and nearer than its first points', async () => {
    const plan = await planOf({
      samples: 40,
      axes: {
        'optimizer.learningRate': { logUniform: [1e-5, 1] },
        'model.hiddenSize': [4, 8, 16, 32, 64],
        'model.name': ['lstm', 'gru'],
      },
    });
    const distance = (config: Plan['runs'][number]['config']) =>
      Math.abs(Math.log10(rate(config) / 3e-3)) +
      Math.abs(Math.log2(Number(config.model['hiddenSize']) / 32)) +
      (config.model.name === 'gru' ? 0 : 1);
    const runs = await searched(plan, (config) => -distance(config));
    const distances = runs.map(({ config }) => distance(config));
    expect(runs).toHaveLength(40);
    expect(Math.min(...distances)).toBeLessThan(0.3);
    const mean = (list: number[]) => list.reduce((sum, one) => sum + one, 0) / list.length;
    expect(mean(distances.slice(20))).toBeLessThan(mean(distances.slice(0, 10)) * 0.75);
  });

  it('gives conditional axes to the points that have the condition', async () => {
    const plan = await planOf({
      samples: 30,
      axes: { 'model.name': ['lstm', 'gru'] },
      when: [{ if: { 'model.name': 'lstm' }, axes: { 'model.forgetBias': { uniform: [0, 4] } } }],
    });
    const biases = (await searched(plan, ({ model }) => Number(model['forgetBias'] ?? 0))).map(
      ({ config }) => config,
    );
    expect(biases.filter(({ model }) => model.name === 'gru')).toHaveLength(1);
    expect(biases.every(({ model }) => (model.name === 'lstm') === 'forgetBias' in model)).toBe(true);
    expect(Math.max(...biases.map(({ model }) => Number(model['forgetBias'] ?? 0)))).toBeGreaterThan(3.9);
  });

  it('tries first what a person adds, keeps to steps, and proposes the same for the same results', async () => {
    const plan = await planOf({
      samples: 16,
      axes: { 'optimizer.learningRate': { uniform: [0.01, 0.2], step: 0.01 } },
      add: [{ 'optimizer.learningRate': 0.5 }],
    });
    const [first, again] = await Promise.all([
      searched(plan, (config) => rate(config)),
      searched(plan, (config) => rate(config)),
    ]);
    expect(first.map(({ id }) => id)).toEqual(again.map(({ id }) => id));
    expect(first.map(({ config }) => rate(config))[0]).toBe(0.5);
    for (const { config } of first)
      expect(Math.abs(rate(config) * 100 - Math.round(rate(config) * 100))).toBeLessThan(1e-9);
  });

  it('goes where points are good and away from failures and from points without a result', () => {
    const axes = [{ kind: 'continuous' }] as const;
    const at = (coordinate: number, value: number | null): Trial => ({
      coordinates: [coordinate],
      value,
      level: 0,
    });
    const trials = [0.1, 0.3, 0.5, 0.7, 0.9].flatMap((x) => [at(x, -x), at(x + 0.02, -x)]);
    const proposed = (more: readonly Trial[]) =>
      proposeByTpe(axes, [...trials, ...more], randomStream(1, 'test'))[0]?.[0] ?? NaN;
    expect(proposed([])).toBeLessThan(0.25);
    const around = Array.from({ length: 8 }, (_, n) => at(0.02 * n, n % 2 ? null : -Infinity));
    expect(proposed(around)).toBeGreaterThan(0.15);
  });
});
