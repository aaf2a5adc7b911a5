import { describe, expect, it } from 'vitest';
import type { Json } from '../../src/system/json.ts';
import { radicalInverse } from '../../src/search/search.ts';
import { planOf, soundPlan } from '../support/spec.ts';

const drawn = async (sweep: Readonly<Record<string, Json>>, path: string) =>
  (await soundPlan({ sweep: { method: 'random', ...sweep }, model: { name: 'lstm' } })).runs.map(
    (run) => run.varying[path] as number,
  );

describe('random search', () => {
  const axes = {
    'optimizer.learningRate': { logUniform: [1e-4, 1e-1] },
    'model.hiddenSize': { integer: [16, 64], step: 16 },
  };

  it('draws as many different points as asked for, the same for the same seed', async () => {
    const of = async (samples: number, seed: number) =>
      (await soundPlan({ sweep: { method: 'random', samples, seed, axes } })).runs.map(({ id }) => id);
    const [first, again, more, other] = await Promise.all([of(20, 1), of(20, 1), of(30, 1), of(20, 2)]);
    expect(new Set(first).size).toBe(20);
    expect(again).toEqual(first);
    expect(more.slice(0, 20)).toEqual(first);
    expect(other).not.toEqual(first);
  });

  it('keeps to bounds and steps, and spreads evenly over the logarithm', async () => {
    const rates = await drawn({ samples: 600, axes }, 'optimizer.learningRate');
    expect(Math.min(...rates)).toBeGreaterThanOrEqual(1e-4);
    expect(Math.max(...rates)).toBeLessThanOrEqual(1e-1);
    const decades = [1e-4, 1e-3, 1e-2].map(
      (low) => rates.filter((rate) => rate >= low && rate < low * 10).length,
    );
    // 600 draws in three equal parts: 200 each, standard deviation 12; seeded, so this is no gamble.
    for (const count of decades) expect(Math.abs(count - 200)).toBeLessThan(48);
    const sizes = new Set(await drawn({ samples: 600, axes }, 'model.hiddenSize'));
    expect([...sizes].sort((a, b) => a - b)).toEqual([16, 32, 48, 64]);
  });

  it('never repeats a point of a finite space, and says when it is used up', async () => {
    const finite = { axes: { 'model.hiddenSize': [1, 2, 3], 'model.layers': [1, 2] }, method: 'random' };
    expect((await soundPlan({ sweep: { ...finite, samples: 5 } })).runs).toHaveLength(5);
    const { plan, notices } = await planOf({ sweep: { ...finite, samples: 7 } });
    expect(plan?.runs).toHaveLength(6);
    expect(notices.map(({ code }) => code)).toEqual(['merged-runs']);
    const steps = { axes: { 'model.hiddenSize': { integer: [1, 4] } }, method: 'random', samples: 9 };
    expect((await soundPlan({ sweep: steps })).runs).toHaveLength(4);
  });

  it('draws weighted values in proportion', async () => {
    const sweep = {
      samples: 400,
      axes: {
        'model.layers': { choice: [1, 2], weights: [1, 3] },
        'optimizer.learningRate': { uniform: [0.1, 1] },
      },
    };
    const twos = (await drawn(sweep, 'model.layers')).filter((layers) => layers === 2).length;
    // 300 expected, standard deviation 8.7.
    expect(Math.abs(twos - 300)).toBeLessThan(35);
  });

  it('gives conditional axes to the points that have the condition, and leaves out what is excluded', async () => {
    const plan = await soundPlan({
      model: { name: 'gru' },
      sweep: {
        method: 'random',
        samples: 40,
        axes: { 'model.name': ['lstm', 'gru'], 'model.hiddenSize': { integer: [1, 100] } },
        when: [{ if: { 'model.name': 'lstm' }, axes: { 'model.forgetBias': { uniform: [0, 1] } } }],
        exclude: [{ 'model.hiddenSize': 50 }],
        add: [{ 'model.hiddenSize': 500 }],
      },
    });
    expect(plan.runs).toHaveLength(41);
    for (const { config } of plan.runs)
      expect('forgetBias' in config.model).toBe(config.model.name === 'lstm');
    expect(plan.runs.some(({ config }) => config.model['hiddenSize'] === 50)).toBe(false);
  });
});

describe('quasi-random search', () => {
  it('has the van der Corput sequence', () => {
    expect([1, 2, 3, 4, 5].map((n) => radicalInverse(n, 2))).toEqual([0.5, 0.25, 0.75, 0.125, 0.625]);
    expect(radicalInverse(5, 3)).toBeCloseTo(7 / 9, 12);
  });

  it('leaves smaller gaps than random search', async () => {
    const largestGap = async (method: string) => {
      const sweep = { method, samples: 64, axes: { 'optimizer.learningRate': { uniform: [0.001, 1] } } };
      const values = (await drawn(sweep, 'optimizer.learningRate')).sort((a, b) => a - b);
      return Math.max(...values.slice(1).map((value, index) => value - (values[index] ?? 0)));
    };
    expect(await largestGap('quasi-random')).toBeLessThan(0.04);
    expect(await largestGap('random')).toBeGreaterThan(0.04);
  });
});
