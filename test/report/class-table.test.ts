import { describe, expect, test } from 'vitest';
import { classLines } from '../../src/report/show.ts';

const score = (f1: number) => ({ precision: f1, recall: f1, f1, support: 10 });

describe('the classes of an evaluation', () => {
  test('stand in their order, by their labels', () => {
    const lines = classLines(
      {
        examples: 20,
        labels: ['cat', 'large dog'],
        scores: [{ precision: 0.5, recall: 1, f1: 2 / 3, support: 10 }, score(0.25)],
      },
      { width: 80 },
    );
    expect(lines.map((line) => line.trim().split(/\s{2,}/))).toEqual([
      ['class', 'precision', 'recall', 'F1', 'examples'],
      ['cat', '0.5000', '1.0000', '0.6667', '10'],
      ['"large dog"', '0.2500', '0.2500', '0.2500', '10'],
    ]);
  });

  test('of many, those that are told worst', () => {
    const scores = Array.from({ length: 30 }, (_, index) => score((30 - index) / 30));
    scores.push({ precision: 0, recall: 0, f1: 0, support: 0 });
    const lines = classLines({ examples: 300, scores }, { width: 80 });
    expect(lines).toHaveLength(22);
    expect(lines[1]).toMatch(/^ *29 /);
    expect(lines.at(-1)).toContain('11 more');
  });

  test('are none of a regression', () => {
    expect(classLines({ examples: 3 }, { width: 80 })).toEqual([]);
  });
});
