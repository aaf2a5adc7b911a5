import { describe, expect, test } from 'vitest';
import {
  chooseKernelOf,
  fastest,
  keptKey,
  type Settled,
} from '../../src/runner/calibration/kernel-choice.ts';
import type { Kept } from '../../src/runner/calibration/kept.ts';
import { keptThreads, threadQuestion } from '../../src/runner/calibration/thread-choice.ts';
import { worksOf, type Work } from '../../src/runner/calibration/work.ts';
import { withThreads } from '../../src/record/frozen-plan.ts';
import { planDocument } from '../../src/plan/plan-experiment.ts';
import type { Plan } from '../../src/plan/plan.ts';
import type { Json } from '../../src/system/json.ts';
import { kernelNames } from '../../src/tensorflow/kernels/table.ts';
import { documentOf, specText } from '../support/spec.ts';

const runnable = kernelNames(() => true);

const nothingKept: Kept = { kernels: {}, threads: {} };

const worksOfSpec = async (more: Readonly<Record<string, Json>>, cores = 2) => {
  const document = documentOf(specText({ dataset: { name: 'toy-sequences' }, ...more }));
  const planned = await planDocument(document, { cores });
  if (!planned.ok) throw new Error(planned.errors.map(({ message }) => message).join('\n'));
  const plan = planned.value;
  return { plan, works: await worksOf(plan.runs, plan) };
};

const oneWork = async (more: Readonly<Record<string, Json>>): Promise<Work> => {
  const { works } = await worksOfSpec(more);
  expect(works).toHaveLength(1);
  return works[0] as Work;
};

const settled = (more: Partial<Settled> = {}): Settled => ({
  execution: { threadsPerRun: 1 },
  kept: nothingKept,
  runnable,
  ...more,
});

describe('the work of a plan', () => {
  test('is one for seeds, learning rates, initializers and lengths, and sums their steps', async () => {
    const work = await oneWork({
      train: { steps: 30 },
      seeds: [1, 2],
      sweep: {
        axes: { 'optimizer.learningRate': [0.1, 0.2], 'model.kernelInitializer': ['uniform', 'orthogonal'] },
      },
    });
    expect(work.steps).toBe(240);
    expect(work.runs).toHaveLength(8);
  });

  test('is another for another size, batch, direction and feature', async () => {
    const { works } = await worksOfSpec({
      sweep: {
        axes: {
          'model.hiddenSize': [8, 16],
          'train.batchSize': [32, 64],
          'model.bidirectional': [false, true],
          'model.peepholes': [false, true],
        },
      },
    });
    expect(works).toHaveLength(16);
    expect(works.at(-1)?.key).toMatch(
      /^lstm 16, bidirectional true, peepholes true; batch 64, .* of varying length$/,
    );
  });

  test('is another with recurrent dropout, whatever its rate', async () => {
    const { works } = await worksOfSpec({ sweep: { axes: { 'model.recurrentDropout': [0, 0.2, 0.5] } } });
    expect(works.map(({ runs }) => runs.length)).toEqual([1, 2]);
    expect(works[1]?.key).toMatch(/^lstm \d+, recurrentDropout; batch /);
    expect(works[1]?.kernels).toEqual(['fused-lstm', 'composed-lstm']);
  });

  test('is read off epochs where the size of the data is known', async () => {
    const dataset = { name: 'toy-sequences', trainSize: 320 };
    const work = await oneWork({ dataset, train: { epochs: 4, batchSize: 32 } });
    expect(work.steps).toBe(40);
  });
});

describe('the kernel of a work', () => {
  test('is the frozen one, else the kept one, else measured', async () => {
    const work = await oneWork({ train: { steps: 500 } });
    const key = keptKey(work, { threadsPerRun: 1 });
    const kept: Kept = { ...nothingKept, kernels: { [key]: { kernel: 'block-lstm', msPerStep: {} } } };
    expect(chooseKernelOf(work, settled())).toEqual({
      how: 'measure',
      kernels: ['fused-lstm', 'block-lstm', 'composed-lstm'],
    });
    expect(chooseKernelOf(work, settled({ kept }))).toEqual({ how: 'kept', kernel: 'block-lstm' });
    const execution = { threadsPerRun: 1, kernels: { [work.key]: 'composed-lstm' } };
    expect(chooseKernelOf(work, settled({ kept, execution }))).toEqual({
      how: 'frozen',
      kernel: 'composed-lstm',
    });
    // Measured with other threads, or no longer there.
    expect(chooseKernelOf(work, settled({ kept, execution: { threadsPerRun: 2 } })).how).toBe('measure');
    const without = runnable.filter((name) => name !== 'block-lstm');
    expect(chooseKernelOf(work, settled({ kept, runnable: without })).how).toBe('measure');
  });

  test('is the default where there is little to do, whatever is kept', async () => {
    const work = await oneWork({ train: { steps: 499 } });
    const key = keptKey(work, { threadsPerRun: 1 });
    const kept: Kept = { ...nothingKept, kernels: { [key]: { kernel: 'block-lstm', msPerStep: {} } } };
    expect(chooseKernelOf(work, settled({ kept }))).toEqual({ how: 'default', kernel: 'fused-lstm' });
  });

  test('is not chosen where there is one, or no native TensorFlow', async () => {
    const work = await oneWork({ train: { steps: 5000 } });
    const normed = await oneWork({ model: { name: 'lstm', layerNorm: true }, train: { steps: 5000 } });
    expect(chooseKernelOf(normed, settled())).toEqual({ how: 'free' });
    expect(chooseKernelOf(work, settled({ runnable: [] }))).toEqual({ how: 'free' });
    expect(chooseKernelOf(work, settled({ runnable: ['composed-lstm'] }))).toEqual({
      how: 'only-one',
      kernel: 'composed-lstm',
    });
  });

  test('is the default unless another one is clearly faster', () => {
    const names = ['a', 'b', 'c'];
    expect(fastest(names, { a: 100, b: 96, c: 300 })).toBe('a');
    expect(fastest(names, { a: 100, b: 94, c: 93 })).toBe('c');
    expect(fastest(names, { a: 100 })).toBe('a');
  });
});

describe('the threads of a run', () => {
  const long = { model: { name: 'lstm', hiddenSize: 64 }, train: { steps: 10_000_000 } };
  const question = ({ plan, works }: { plan: Plan; works: readonly Work[] }, cores: number) =>
    threadQuestion(works, plan, { cores });

  test('are measured for long plans that leave them open, the arithmetic first', async () => {
    const few = question(await worksOfSpec(long, 4), 4);
    expect(few?.arrangements).toEqual([
      { threads: 4, side: 1 },
      { threads: 2, side: 1 },
      { threads: 1, side: 1 },
    ]);
    const many = question(await worksOfSpec({ ...long, seeds: [1, 2, 3, 4, 5] }, 4), 4);
    expect(many?.arrangements).toEqual([
      { threads: 1, side: 4 },
      { threads: 2, side: 2 },
    ]);
    expect(many?.key).toMatch(/; many runs on 4 cores$/);
  });

  test('are not measured for short plans, where the spec names them, or on one core', async () => {
    expect(question(await worksOfSpec({ ...long, train: { steps: 100 } }), 2)).toBeUndefined();
    expect(question(await worksOfSpec({ ...long, run: { threadsPerRun: 1 } }), 2)).toBeUndefined();
    expect(question(await worksOfSpec(long, 1), 1)).toBeUndefined();
  });

  test('are taken from what is kept only where it is one of the arrangements', async () => {
    const asked = question(await worksOfSpec(long, 2), 2);
    if (!asked) throw new Error('nothing to measure');
    const kept = (threads: number): Kept => ({
      ...nothingKept,
      threads: { [asked.key]: { threads, stepsPerSecond: {} } },
    });
    expect(keptThreads(asked, kept(1))).toBe(1);
    expect(keptThreads(asked, kept(3))).toBeUndefined();
    expect(keptThreads(asked, nothingKept)).toBeUndefined();
  });

  test('never ask for more than the cores', async () => {
    const { plan } = await worksOfSpec({ seeds: [1, 2, 3] }, 4);
    expect(withThreads(plan.execution, 2)).toMatchObject({ concurrency: 1, threadsPerRun: 2 });
    expect(withThreads(plan.execution, 1)).toMatchObject({ concurrency: 3, threadsPerRun: 1 });
    expect(withThreads(plan.execution, 1)).not.toHaveProperty('automatic');
  });

  test('lend no core where fewer threads get more done', async () => {
    const { plan } = await worksOfSpec({ seeds: [1, 2, 3] }, 8);
    expect(withThreads(plan.execution, 2)).toMatchObject({ cores: 8 });
    expect(withThreads(plan.execution, 1)).not.toHaveProperty('cores');
  });
});
