import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Static } from '@sinclair/typebox';
import { describe, expect, it } from 'vitest';
import { characters } from '../../src/data/characters.ts';
import { tokenWindow } from '../../src/data/text/stream.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { dataFolder } from './support/data-files.ts';
import { complete, examplesOf } from './support/read-all.ts';

const load = async (text: string, parameters: Partial<Static<typeof characters.parameters>>) => {
  const context = dataFolder({ 'a.txt': text });
  const chosen = complete(characters, { file: 'a.txt', ...parameters });
  const dataset = await characters.load(chosen, context);
  expect(await characters.shape(chosen, context)).toEqual(dataset.shape);
  const { task } = dataset.shape;
  const labels = task.kind === 'next-step' ? (task.labels ?? []) : [];
  const textOf = (tokens: readonly number[]) => tokens.map((token) => labels[token]).join('');
  const texts = (split = dataset.train) =>
    examplesOf(dataset.shape, split).map(({ inputs, targets }) => [textOf(inputs), textOf(targets)]);
  return {
    shape: dataset.shape,
    train: texts(),
    validation: dataset.validation && texts(dataset.validation),
    test: texts(dataset.test),
  };
};

describe('characters', () => {
  it('wants the next character at each step; parts follow one another and share nothing', async () => {
    const text = 'abcdefghijklmnopqrstuvwxyz';
    const { shape, train, validation, test } = await load(text, {
      length: 3,
      validationFraction: 0.2,
      testFraction: 0.2,
    });
    expect(shape).toMatchObject({
      steps: 3,
      input: { kind: 'tokens', vocabulary: 26 },
      task: { kind: 'next-step', classes: 26, labels: Array.from(text) },
    });
    expect(train).toEqual([
      ['abc', 'bcd'],
      ['def', 'efg'],
      ['ghi', 'hij'],
      ['jkl', 'klm'],
      ['mno', 'nop'],
    ]);
    expect(validation).toEqual([['qrs', 'rst']]);
    expect(test).toEqual([['vwx', 'wxy']]);
  });

  it('lets sequences overlap by a stride', async () => {
    const { train, test } = await load('abcdefghij', { length: 3, stride: 1, testFraction: 0.4 });
    expect(train.slice(0, 2)).toEqual([
      ['abc', 'bcd'],
      ['bcd', 'cde'],
    ]);
    expect(test).toEqual([['ghi', 'hij']]);
  });

  it('takes characters, not bytes or halves of them, also across the pieces of a large file', async () => {
    const text = 'zß€🎉\n'.repeat(200_000);
    const { shape, train } = await load(text, { length: 5, validationFraction: 0 });
    expect(shape.task).toMatchObject({ classes: 5, labels: ['\n', 'z', 'ß', '€', '🎉'] });
    expect(new Set(train.map(([given]) => given))).toEqual(new Set(['zß€🎉\n']));
  });

  it('says when a text is too short', async () => {
    await expect(load('abcdefghij', { length: 9 })).rejects.toThrow(
      'a.txt has 10 characters, which leaves 8 for the training part and 1 for the test part: too few for sequences of 9.',
    );
    await expect(load('', { length: 1 })).rejects.toThrow(/has 0 characters/);
  });

  it('refuses fractions that leave nothing to train on', () => {
    const chosen = complete(characters, { file: 'a', validationFraction: 0.5, testFraction: 0.5 });
    expect(characters.check(chosen).map(({ path }) => path)).toEqual(['validationFraction']);
  });
});

it('a text that is too long for the memory is read from the file, to the same tokens', () => {
  const path = join(temporaryDirectory(), 'tokens.bin');
  writeFileSync(path, new Uint8Array(Uint32Array.from({ length: 50 }, (_, at) => 7 * at).buffer));
  const [memory, file] = [tokenWindow(path, 50, 50), tokenWindow(path, 50, 49)];
  for (const [at, characters] of [
    [0, 5],
    [45, 5],
    [10, 3],
  ] as const) {
    expect([...file(at, characters)]).toEqual([...memory(at, characters)]);
    expect(file(at, characters)[0]).toBe(7 * at);
  }
});
