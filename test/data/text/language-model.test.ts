import type { Static } from '@sinclair/typebox';
import { describe, expect, it } from 'vitest';
import { text } from '../../../src/data/text.ts';
import { dataFolder } from '../support/data-files.ts';
import { complete, examplesOf } from '../support/read-all.ts';

const load = async (content: string, parameters: Partial<Static<typeof text.parameters>>) => {
  const context = dataFolder({ 'a.txt': content });
  const chosen = complete(text, { file: 'a.txt', validationFraction: 0, ...parameters });
  const { shape, vocabulary = [], train, test } = await text.load(chosen, context);
  expect(await text.shape(chosen, context)).toEqual(shape);
  const wordsOf = (tokens: readonly number[]) => tokens.map((token) => vocabulary[token]);
  const sequences = (split: typeof train) =>
    examplesOf(shape, split).map(({ inputs, targets }) => [wordsOf(inputs), wordsOf(targets)]);
  const { description } = await text.inspect(chosen, context);
  return { shape, vocabulary, description, train: sequences(train), test: sequences(test) };
};

describe('text', () => {
  const lines = 'The cat sat.\nThe dog sat.\nA bird sang.';

  it('wants the next word at each step; the end of a line is a token', async () => {
    const { shape, vocabulary, train, test, description } = await load(lines, {
      length: 3,
      testFraction: 0.3,
    });
    expect(train).toEqual([
      [
        ['The', 'cat', 'sat'],
        ['cat', 'sat', '.'],
      ],
      [
        ['.', '\n', 'The'],
        ['\n', 'The', 'dog'],
      ],
      [
        ['dog', 'sat', '.'],
        ['sat', '.', '\n'],
      ],
    ]);
    expect(vocabulary.slice(0, 2)).toEqual(['<pad>', '<unk>']);
    expect(vocabulary).not.toContain('bird');
    expect(test).toEqual([
      [
        ['<unk>', '<unk>', '<unk>'],
        ['<unk>', '<unk>', '.'],
      ],
    ]);
    expect(shape.task).toMatchObject({ kind: 'next-step', classes: vocabulary.length });
    expect(description.parts.test?.tokens).toEqual({ count: 4, unknown: 3 });
  });

  it('is the same however the file is cut into pieces', async () => {
    const word = (at: number) => `w${at % 977}`;
    const long = Array.from({ length: 120_000 }, (_, at) => word(at) + (at % 13 === 0 ? '\n' : ' ')).join('');
    const { train } = await load(long, { length: 1000, testFraction: 0.5 });
    const expected = Array.from({ length: 120_000 }, (_, at) =>
      at % 13 === 0 ? [word(at), '\n'] : [word(at)],
    ).flat();
    expect(train.flatMap(([inputs = []]) => inputs)).toEqual(expected.slice(0, train.length * 1000));
  });

  it('counts words in its messages', async () => {
    await expect(load('one two three', { length: 50 })).rejects.toThrow(
      'a.txt has 3 words, which leaves 3 for the training part and 0 for the test part: too few for sequences of 50.',
    );
  });
});
