import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { canonicalJson, type Json } from '../../src/system/json.ts';
import type { Run } from '../../src/plan/plan.ts';
import { planOf, soundPlan } from '../support/spec.ts';

const varying = (runs: readonly Run[]) =>
  runs.map((run) =>
    Object.values(run.varying)
      .map((value) => JSON.stringify(value).replaceAll('"', ''))
      .join(' '),
  );

describe('a plan without a sweep', () => {
  it('is one run with every default', async () => {
    const plan = await soundPlan();
    expect(plan.runs).toHaveLength(1);
    expect(plan.axes).toEqual([]);
    expect(plan.runs[0]).toMatchObject({
      experiment: 'test',
      seed: 1,
      varying: {},
      versions: { dataset: 1, model: 1, optimizer: 1 },
      config: {
        dataset: { name: 'mnist-rows', trainSize: null },
        model: { name: 'lstm', hiddenSize: 128, layers: 1, merge: 'concat', forgetBias: 1 },
        optimizer: { name: 'adam', learningRate: 0.001, schedule: { name: 'constant', warmupSteps: 0 } },
        train: {
          batchSize: 128,
          steps: 100,
          epochs: null,
          trainingIters: null,
          lastBatch: 'keep',
          displayEvery: 10,
        },
      },
    });
    expect(plan.objective).toEqual({ metric: 'test/accuracy', goal: 'maximize' });
  });

  it('has the hash of its canonical JSON as id', async () => {
    const run = (await soundPlan()).runs[0];
    if (!run) throw new Error('no run');
    const { config, datasetDigest, seed, versions } = run;
    const hash = (value: object) =>
      createHash('sha256').update(canonicalJson(value)).digest('hex').slice(0, 12);
    expect(run.id).toBe(hash({ config, datasetDigest, seed, versions }));
    expect(run.cell).toBe(hash({ config, datasetDigest, versions }));
  });

  it.each([Infinity, -Infinity, NaN])('refuses to hash %s, which JSON would turn into null', (value) => {
    expect(() => canonicalJson({ config: [{ clipNorm: value }] })).toThrow(RangeError);
  });

  it('is the same whether a default is written or not, and whatever the order of keys', async () => {
    const [one, other, third] = await Promise.all([
      soundPlan(),
      soundPlan({ model: { hiddenSize: 128, name: 'lstm', layers: 1 }, run: { retries: 3 } }),
      soundPlan({ model: { name: 'lstm', hiddenSize: 129 } }),
    ]);
    expect(one.runs[0]?.id).toBe(other.runs[0]?.id);
    expect(one.runs[0]?.id).not.toBe(third.runs[0]?.id);
  });
});

describe('a grid', () => {
  it('goes in the order of the file, the last axis fastest and seeds fastest of all', async () => {
    const plan = await soundPlan({
      sweep: { axes: { 'model.layers': [2, 1], 'model.hiddenSize': [64, 32] } },
      seeds: [7, 3],
    });
    expect(varying(plan.runs)).toEqual([
      '2 64 7',
      '2 64 3',
      '2 32 7',
      '2 32 3',
      '1 64 7',
      '1 64 3',
      '1 32 7',
      '1 32 3',
    ]);
    expect(plan.axes).toEqual(['model.layers', 'model.hiddenSize', 'seed']);
    expect(new Set(plan.runs.map(({ cell }) => cell)).size).toBe(4);
  });

  it('advances zips together, adds axes where a condition holds, excludes and adds', async () => {
    const plan = await soundPlan({
      model: { name: 'gru' },
      sweep: {
        axes: { 'model.name': ['lstm', 'gru'] },
        zip: [{ 'model.layers': [1, 2], 'model.dropout': [0, 0.3] }],
        when: [{ if: { 'model.name': 'lstm' }, axes: { 'model.forgetBias': [0, 1] } }],
        exclude: [{ model: { layers: 2, forgetBias: 0 } }],
        add: [{ 'model.hiddenSize': 512 }],
      },
    });
    expect(varying(plan.runs)).toEqual([
      'lstm 1 0 0 128',
      'lstm 1 0 1 128',
      'lstm 2 0.3 1 128',
      'gru 1 0 128',
      'gru 2 0.3 128',
      'gru 1 0 512',
    ]);
  });

  it('takes whole blocks, and parameters on top of them in whatever order', async () => {
    const blocks = [
      { name: 'sgd', learningRate: 0.1, momentum: 0.9 },
      { name: 'adam', learningRate: 0.001 },
    ];
    const plan = await soundPlan({
      sweep: { axes: { 'optimizer.schedule.name': ['constant', 'cosine'], optimizer: blocks } },
    });
    expect(plan.runs.map(({ config }) => config.optimizer)).toMatchObject([
      { name: 'sgd', learningRate: 0.1, momentum: 0.9, schedule: { name: 'constant' } },
      { name: 'adam', learningRate: 0.001, schedule: { name: 'constant' } },
      { name: 'sgd', schedule: { name: 'cosine' } },
      { name: 'adam', schedule: { name: 'cosine' } },
    ]);
    expect(plan.axes).toEqual([
      'optimizer.schedule.name',
      'optimizer.name',
      'optimizer.learningRate',
      'optimizer.momentum',
    ]);
    expect(plan.runs[1]?.varying).toEqual({
      'optimizer.schedule.name': 'constant',
      'optimizer.name': 'adam',
      'optimizer.learningRate': 0.001,
    });
  });

  it('matches excluded numbers that were computed, and defaults that nobody wrote', async () => {
    const sweep = {
      axes: { 'optimizer.learningRate': { log: [1e-4, 1e-2], steps: 3 }, 'model.layers': [1, 2] },
      exclude: [{ 'optimizer.learningRate': 1e-3, 'model.hiddenSize': 128, 'model.layers': 2 }],
    };
    expect((await soundPlan({ sweep })).runs).toHaveLength(5);
  });

  it('rounds to whole numbers where a parameter has only those', async () => {
    const plan = await soundPlan({ sweep: { axes: { 'model.hiddenSize': { log: [100, 200], steps: 4 } } } });
    expect(varying(plan.runs)).toEqual(['100', '126', '159', '200']);
  });

  it('takes a key away with null', async () => {
    const plan = await soundPlan({
      model: { name: 'lstm', hiddenSize: 64 },
      sweep: { axes: { 'model.hiddenSize': [null, 32] } },
    });
    expect(varying(plan.runs)).toEqual(['128', '32']);
  });

  it('lets an axis say anew how long to train', async () => {
    const plan = await soundPlan({ sweep: { axes: { 'train.epochs': [1, 2] } } });
    expect(plan.runs.map(({ config }) => [config.train.steps, config.train.epochs])).toEqual([
      [null, 1],
      [null, 2],
    ]);
  });

  it('merges equal points with a notice', async () => {
    const { plan, notices } = await planOf({ sweep: { axes: { 'model.hiddenSize': [128, 64, 128.0] } } });
    expect(plan?.runs).toHaveLength(2);
    expect(notices.map(({ code }) => code)).toEqual(['merged-runs']);
  });

  it('keeps to maxRuns unless more are allowed', async () => {
    const spec = { sweep: { axes: { 'model.hiddenSize': [1, 2, 3] }, maxRuns: 5 }, seeds: 2 };
    expect((await planOf(spec)).errors.map(({ code }) => code)).toEqual(['too-many-runs']);
    expect((await soundPlan(spec, { allowManyRuns: true })).runs).toHaveLength(6);
  });
});

describe('one value added to an axis', () => {
  it('leaves the ids of the other runs as they are', async () => {
    const of = async (sizes: number[]) =>
      (await soundPlan({ sweep: { axes: { 'model.hiddenSize': sizes } }, seeds: 2 })).runs.map(
        ({ id }) => id,
      );
    const [before, after] = await Promise.all([of([1, 2]), of([1, 3, 2])]);
    expect(after.filter((id) => before.includes(id))).toEqual(before);
    expect(after).toHaveLength(6);
  });
});

describe('execution', () => {
  const runs = (count: number) => ({
    sweep: { axes: { 'model.hiddenSize': Array.from({ length: count }, (_, index) => index + 1) } },
  });
  const settled = async (
    count: number,
    cores: number,
    run: Readonly<Record<string, Json>> = {},
    concurrency?: number,
  ) => {
    const { plan } = await planOf(
      { ...runs(count), run },
      { cores, ...(concurrency && { concurrency: { runs: concurrency } }) },
    );
    return plan && [plan.execution.concurrency, plan.execution.threadsPerRun];
  };

  it('divides the cores among the runs', async () => {
    expect(await settled(1, 8)).toEqual([1, 8]);
    expect(await settled(3, 8)).toEqual([3, 2]);
    expect(await settled(4, 2)).toEqual([2, 1]);
    expect(await settled(100, 8)).toEqual([8, 1]);
    expect(await settled(5, 1)).toEqual([1, 1]);
  });

  it('leaves the cores that the runs do not fill to be lent, unless concurrency or threads are set', async () => {
    const lent = async (count: number, run: Record<string, number>) =>
      (await planOf({ ...runs(count), run }, { cores: 4 })).plan?.execution.cores;
    expect(await lent(3, {})).toBe(4);
    expect(await lent(2, {})).toBeUndefined();
    expect(await lent(3, { concurrency: 3 })).toBeUndefined();
    expect(await lent(3, { threadsPerRun: 1 })).toBeUndefined();
  });

  it('keeps the threads whatever the concurrency', async () => {
    expect(await settled(3, 8, {}, 1)).toEqual([1, 2]);
    expect(await settled(3, 8, { concurrency: 2 })).toEqual([2, 2]);
    expect(await settled(3, 8, { threadsPerRun: 4 })).toEqual([2, 4]);
  });

  it('refuses more threads than cores, with the numbers', async () => {
    const { errors } = await planOf({ ...runs(3), run: { concurrency: 3, threadsPerRun: 2 } }, { cores: 4 });
    expect(errors).toMatchObject([{ code: 'conflict', got: '3 x 2 = 6' }]);
    expect(await settled(9, 4, {}, 5)).toBeUndefined();
    const at = { source: { name: 'command line', text: '--concurrency 5' }, start: 14, end: 15 };
    const onCommandLine = await planOf(runs(9), { cores: 4, concurrency: { runs: 5, at } });
    expect(onCommandLine.errors).toMatchObject([{ at, help: 'Write `--concurrency 4`.' }]);
    expect(await settled(9, 4, { threadsPerRun: 5 })).toBeUndefined();
  });
});
