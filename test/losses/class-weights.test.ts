import { expect, test } from 'vitest';
import { classWeightChecks, weightsOfClasses } from '../../src/losses/class-weights.ts';

const task = (labels: readonly string[]) =>
  ({ kind: 'classification', classes: labels.length, labels }) as const;

test('a class may have a name that every object has', () => {
  const labels = ['up', 'constructor', '__proto__'];
  const context = { task: task(labels), classCounts: () => Float64Array.of(1, 1, 1) };
  expect(weightsOfClasses({ up: 2 }, context)).toEqual(Float32Array.of(2, 1, 1));
  expect(
    weightsOfClasses(JSON.parse('{"constructor":3,"__proto__":4}') as Record<string, number>, context),
  ).toEqual(Float32Array.of(1, 3, 4));
});

test('very many weights of unknown classes are reported without comparing each with every class', () => {
  const labels = Array.from({ length: 10_000 }, (_, at) => `class ${at}`);
  const weights = Object.fromEntries(Array.from({ length: 60_000 }, (_, at) => [`klass ${at}`, 1]));
  const issues = classWeightChecks.checkWith({ classWeights: weights }, { task: task(labels) });
  expect(issues).toHaveLength(60_000);
  expect(issues[0]?.help).toContain('Did you mean class 0?');
});
