import { describe, expect, it } from 'vitest';
import { addingProblem } from '../../src/data/adding-problem.ts';
import { copyMemory } from '../../src/data/copy-memory.ts';
import type { DatasetRow } from '../../src/data/dataset.ts';
import { toySequences } from '../../src/data/toy-sequences.ts';
import { complete, examplesOf } from './support/read-all.ts';

const context = { baseDirectory: '.' };

const loadAll = async <P extends DatasetRow['parameters']>(
  row: DatasetRow<P>,
  parameters: Parameters<typeof complete<P>>[1] = {},
) => {
  const dataset = await row.load(complete(row, parameters), context);
  const examples = (part: 'train' | 'test') => examplesOf(dataset.shape, dataset[part]);
  return { ...dataset, examples };
};

describe('toy-sequences', () => {
  it('makes the reference: 1,000 and 500 sequences of 3 to 20 values, padded with zeros', async () => {
    const { shape, train, test, validation, examples } = await loadAll(toySequences);
    expect([train.size, test.size, validation]).toEqual([1000, 500, undefined]);
    expect(shape).toMatchObject({ steps: 20, input: { features: 1 }, variableLength: true });
    const lengths = new Set<number>();
    let linear = 0;
    for (const { inputs, length, targets } of [...examples('train'), ...examples('test')]) {
      lengths.add(length);
      expect(inputs.length).toBe(20);
      expect(inputs.slice(length).every((value) => value === 0)).toBe(true);
      const whole = inputs.slice(0, length).map((value) => Math.round(value * 1000));
      expect(inputs.slice(0, length)).toEqual(whole.map((value) => Math.fround(value / 1000)));
      expect(whole.every((value) => value >= 0 && value <= 1000)).toBe(true);
      const counting = whole.every((value, step) => value === (whole[0] ?? 0) + step);
      expect(targets).toEqual([counting ? 0 : 1]);
      linear += counting ? 1 : 0;
    }
    expect([...lengths].sort((a, b) => a - b)).toEqual(Array.from({ length: 18 }, (_, index) => index + 3));
    // Five standard deviations of a fair coin.
    expect(Math.abs(linear - 750)).toBeLessThan(5 * Math.sqrt(375));
  });

  it('draws the largest and smallest values too', async () => {
    const parameters = { trainSize: 500, minLength: 1, maxLength: 2, maxValue: 2 };
    const { examples } = await loadAll(toySequences, parameters);
    const seen = new Set(examples('train').map(({ inputs, length }) => inputs.slice(0, length).join()));
    expect(seen).toContain('0.5,1');
    expect(seen).toContain('1');
    expect(seen).toContain('0');
  });

  it('keeps each part when the size of another changes', async () => {
    const one = await loadAll(toySequences, { trainSize: 10 });
    const other = await loadAll(toySequences, { trainSize: 20, validationSize: 30 });
    expect(other.examples('test')).toEqual(one.examples('test'));
    expect(other.examples('train').slice(0, 10)).toEqual(one.examples('train'));
    expect(other.validation?.size).toBe(30);
    expect(one.examples('test').slice(0, 10)).not.toEqual(one.examples('train'));
  });

  it('names lengths and values that do not fit', () => {
    const issues = toySequences.check(complete(toySequences, { minLength: 30, maxLength: 25, maxValue: 20 }));
    expect(issues.map(({ path }) => path)).toEqual(['minLength', 'maxValue']);
    expect(toySequences.check(complete(toySequences, {}))).toEqual([]);
  });
});

describe('adding-problem', () => {
  it('marks one number in each half; the target is their sum', async () => {
    const { examples, shape } = await loadAll(addingProblem, { length: 11, trainSize: 300 });
    expect(shape).toMatchObject({
      steps: 11,
      input: { features: 2 },
      task: { kind: 'regression', outputs: 1 },
    });
    const marked = new Set<number>();
    for (const { inputs, length, targets } of examples('train')) {
      expect(length).toBe(11);
      const steps = Array.from({ length: 11 }, (_, step) => step);
      const marks = steps.filter((step) => inputs[2 * step + 1] === 1);
      expect(steps.filter((step) => inputs[2 * step + 1] === 0).length).toBe(9);
      expect(marks.length).toBe(2);
      expect(marks[0]).toBeLessThan(5);
      expect(marks[1]).toBeGreaterThanOrEqual(5);
      const sum = marks.reduce((total, step) => total + (inputs[2 * step] ?? NaN), 0);
      expect(targets[0]).toBeCloseTo(sum, 6);
      marks.forEach((step) => marked.add(step));
    }
    expect(marked.size).toBe(11);
  });

  it('leaves a mean squared error of a sixth to a constant answer', async () => {
    const { examples } = await loadAll(addingProblem, { length: 10, trainSize: 20_000 });
    const errors = examples('train').map(({ targets }) => ((targets[0] ?? NaN) - 1) ** 2);
    expect(errors.reduce((sum, error) => sum + error, 0) / errors.length).toBeCloseTo(1 / 6, 2);
  });
});

describe('copy-memory', () => {
  it('gives a word, blanks and a sign; wants blanks and the word', async () => {
    const { examples, shape } = await loadAll(copyMemory, {
      delay: 4,
      copyLength: 3,
      symbols: 5,
      trainSize: 50,
    });
    expect(shape).toMatchObject({
      steps: 10,
      input: { kind: 'tokens', vocabulary: 7 },
      task: { kind: 'labelling', classes: 6 },
    });
    const [blank, sign] = [5, 6];
    for (const { inputs, length, targets } of examples('train')) {
      const word = inputs.slice(0, 3);
      expect(word.every((symbol) => symbol >= 0 && symbol < 5)).toBe(true);
      expect(inputs).toEqual([...word, blank, blank, blank, sign, blank, blank, blank]);
      expect(targets).toEqual([...Array.from({ length: 7 }, () => blank), ...word]);
      expect(length).toBe(10);
    }
  });
});

describe('every generated dataset', () => {
  it.each([toySequences, addingProblem, copyMemory] as readonly DatasetRow[])(
    'is the same for the same parameters and another for another seed: $title',
    async (row) => {
      const small = { trainSize: 20, validationSize: 5, testSize: 5 };
      const [first, again, other] = await Promise.all([
        loadAll(row, small),
        loadAll(row, small),
        loadAll(row, { ...small, seed: 2 }),
      ]);
      expect(again.examples('train')).toEqual(first.examples('train'));
      expect(other.examples('train')).not.toEqual(first.examples('train'));
      const digest = async (parameters: object) => row.digest(complete(row, parameters), context);
      expect(await digest(small)).toMatch(/^[0-9a-f]{64}$/);
      expect(await digest({ ...small, seed: 2 })).not.toBe(await digest(small));
      expect(await row.shape(complete(row, small), context)).toEqual(first.shape);
    },
  );

  it('refuses more than fits into memory, before anything is drawn', () => {
    const [issue] = addingProblem.check(complete(addingProblem, { length: 10_000, trainSize: 1_000_000 }));
    expect(issue).toMatchObject({
      path: 'trainSize',
      expected: 'at most 25000 sequences in all parts together',
    });
  });
});
