import fc from 'fast-check';
import { expect, it } from 'vitest';
import { csvText } from '../../../src/data/csv-text.ts';
import type { DatasetRow } from '../../../src/data/dataset.ts';
import { text } from '../../../src/data/text.ts';
import { dataFolder } from '../support/data-files.ts';
import { complete, readAll } from '../support/read-all.ts';

const word = fc.constantFrom('a', 'b', 'C', 'd', 'é', '!', 'longer');
const words = fc.array(word, { minLength: 1, maxLength: 6 });

/** Everything that a training gets of its own part. */
const trainingOf = async (row: DatasetRow, files: Readonly<Record<string, string>>, parameters: object) => {
  const context = dataFolder(files);
  const chosen = complete(row, parameters);
  const { shape, vocabulary, train, validation, test } = await row.load(chosen, context);
  const { inputs, lengths, targets } = readAll(shape, train);
  const namesOf = (split = train) => Array.from({ length: split.size }, (_, at) => split.id?.(at) ?? '');
  return {
    held: [...(validation ? namesOf(validation) : []), ...namesOf(test)],
    given: { shape, vocabulary, inputs, lengths, targets, scaling: train.scaling?.(0) },
  };
};

const split = fc.constantFrom(
  { split: 'random' },
  { split: 'grouped', splitBy: 'group' },
  { split: 'chronological', splitBy: 'time' },
  { split: 'column', splitBy: 'part' },
  { folds: 3, fold: 2 },
);

it('changing texts and targets of validation and test changes nothing that is trained on', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(words, { minLength: 10, maxLength: 20 }), split, async (texts, cut) => {
      const rows = texts.map((tokens, at) => ({
        text: tokens.join(' '),
        stars: at % 5,
        group: at % 4,
        time: at,
        part: ['train', 'train', 'val', 'test'][at % 4],
      }));
      const fileOf = (changed: ReadonlySet<string>) =>
        [
          'text,stars,group,time,part',
          ...rows.map(({ stars, ...row }, at) => {
            const isChanged = changed.has(String(at + 1));
            // As many tokens as before: the longest text of all decides how far batches are padded.
            const tokens = isChanged ? row.text.replaceAll(/\S+/g, 'other') : row.text;
            return [tokens, isChanged ? 1000 + at : stars, row.group, row.time, row.part].join(',');
          }),
        ].join('\n');
      const parameters = { file: 'a.csv', task: 'regression', targets: ['stars'], standardizeTargets: true };
      const chosen = { ...parameters, ...cut };
      const before = await trainingOf(csvText, { 'a.csv': fileOf(new Set()) }, chosen);
      const after = await trainingOf(csvText, { 'a.csv': fileOf(new Set(before.held)) }, chosen);
      expect(before.held.length).toBeGreaterThan(1);
      expect(after).toEqual(before);
      expect(after.given.vocabulary).not.toContain('other');
    }),
    { numRuns: 10 },
  );
});

it('changing a text after the training part changes nothing that is trained on', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(word, { minLength: 60, maxLength: 120 }), async (tokens) => {
      const chosen = { file: 'a.txt', length: 4, validationFraction: 0.2, testFraction: 0.2 };
      // The first token after the training part is the target of its last one.
      const border = Math.ceil(tokens.length * 0.6) + 1;
      const changed = tokens.map((token, at) => (at < border ? token : 'other'));
      const before = await trainingOf(text, { 'a.txt': tokens.join(' ') }, chosen);
      const after = await trainingOf(text, { 'a.txt': changed.join(' ') }, chosen);
      expect(after).toEqual(before);
    }),
    { numRuns: 10 },
  );
});
