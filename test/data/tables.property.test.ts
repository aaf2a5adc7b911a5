import fc from 'fast-check';
import Papa from 'papaparse';
import { labelsOf } from '../../src/data/task.ts';
import { expect, it } from 'vitest';
import { csvSequences } from '../../src/data/csv-sequences.ts';
import type { Dataset } from '../../src/data/dataset.ts';
import { jsonlSequences } from '../../src/data/nested-sequences.ts';
import { dataFolder } from './support/data-files.ts';
import { complete, examplesOf } from './support/read-all.ts';

const text = fc
  .string({
    unit: fc.constantFrom('a', 'B', '7', 'é', '"', ',', '\n', ';', ' ', "'"),
    minLength: 1,
    maxLength: 6,
  })
  .map((label) => label.trim())
  .filter((label) => label !== '');

// A text has no negative zero.
const number = fc
  .oneof(fc.integer(), fc.double({ noNaN: true, min: -1e30, max: 1e30 }))
  .map((value) => value + 0);

/** Sequences of two features with a label. */
const sequences = fc.array(
  fc.record({
    label: text,
    steps: fc.array(fc.tuple(number, number), { minLength: 1, maxLength: 5 }),
  }),
  { minLength: 1, maxLength: 8 },
);

type Sequences = readonly {
  readonly label: string;
  readonly steps: readonly (readonly [number, number])[];
}[];

/** What a dataset should hold of the sequences, as labels and float32 values with padding. */
const expected = (given: Sequences) => {
  const longest = Math.max(...given.map(({ steps }) => steps.length));
  return given.map(({ label, steps }) => ({
    label,
    length: steps.length,
    inputs: [...steps.flat(), ...new Array<number>(2 * (longest - steps.length)).fill(0)].map(Math.fround),
  }));
};

const found = ({ shape, test }: Dataset) => {
  const { task } = shape;
  const labels = labelsOf(task) ?? [];
  return examplesOf(shape, test).map(({ inputs, length, targets }) => ({
    label: labels[targets[0] ?? -1],
    length,
    inputs,
  }));
};

const common = { validationFraction: 0, standardize: false, targets: ['label'] };

it('a table means the same as CSV in both layouts and as JSON lines in both layouts', async () => {
  await fc.assert(
    fc.asyncProperty(sequences, fc.constantFrom('\n', '\r\n'), async (given, newline) => {
      const long = given.flatMap(({ label, steps }, id) => steps.map(([a, b]) => ({ id, a, b, label })));
      const most = Math.max(...given.map(({ steps }) => steps.length));
      const wide = given.map(({ label, steps }) => [
        label,
        ...Array.from({ length: most }, (_, step) => steps[step] ?? ['', '']).flat(),
      ]);
      const header = ['label', ...Array.from({ length: most }, (_, step) => [`a${step}`, `b${step}`]).flat()];
      const lines = (rows: readonly object[]) => rows.map((row) => JSON.stringify(row)).join(newline);
      const context = dataFolder({
        'long.csv': Papa.unparse(long, { newline }),
        'wide.csv': Papa.unparse([header, ...wide], { newline }),
        'long.jsonl': lines(long),
        'wide.jsonl': lines(given),
      });
      const csv = (
        name: string,
        parameters: Parameters<typeof complete<typeof csvSequences.parameters>>[1],
      ) =>
        csvSequences.load(
          complete(csvSequences, { ...common, file: name, testFile: name, ...parameters }),
          context,
        );
      const jsonl = (
        name: string,
        parameters: Parameters<typeof complete<typeof jsonlSequences.parameters>>[1],
      ) =>
        jsonlSequences.load(
          complete(jsonlSequences, { ...common, file: name, testFile: name, ...parameters }),
          context,
        );
      const wanted = expected(given);
      expect(found(await csv('long.csv', { sequence: 'id' }))).toEqual(wanted);
      expect(found(await csv('wide.csv', { layout: 'wide', featuresPerStep: 2 }))).toEqual(wanted);
      expect(found(await jsonl('long.jsonl', { sequence: 'id' }))).toEqual(wanted);
      expect(found(await jsonl('wide.jsonl', { layout: 'wide', features: ['steps'] }))).toEqual(wanted);
    }),
    { numRuns: 30 },
  );
});
