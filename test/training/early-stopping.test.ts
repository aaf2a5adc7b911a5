import { describe, expect, test } from 'vitest';
import { patienceIsOver } from '../../src/record/kept-weights.ts';
import type { EarlyStopping } from '../../src/language/config.ts';
import { improves } from '../../src/record/kept-weights.ts';

const rule: EarlyStopping = {
  metric: 'val/loss',
  goal: 'minimize',
  patience: 2,
  minDelta: 0.1,
  restoreBest: true,
};

describe('an evaluation', () => {
  test('improves when it is better by minDelta', () => {
    expect(improves(rule, 1, null)).toBe(true);
    expect(improves(rule, 0.95, { value: 1, step: 10 })).toBe(false);
    expect(improves(rule, 0.85, { value: 1, step: 10 })).toBe(true);
    expect(improves({ ...rule, goal: 'maximize' }, 0.85, { value: 1, step: 10 })).toBe(false);
    expect(improves({ ...rule, goal: 'maximize' }, 1.2, { value: 1, step: 10 })).toBe(true);
  });

  test('never improves as NaN', () => {
    expect(improves(rule, Number.NaN, null)).toBe(false);
  });
});

test('patience counts evaluations since the best, or since the start', () => {
  const at = (step: number) => ({ step, evaluateEvery: 10 });
  expect(patienceIsOver(rule, { value: 1, step: 30 }, at(40))).toBe(false);
  expect(patienceIsOver(rule, { value: 1, step: 30 }, at(50))).toBe(true);
  expect(patienceIsOver(rule, null, at(10))).toBe(false);
  expect(patienceIsOver(rule, null, at(20))).toBe(true);
});
