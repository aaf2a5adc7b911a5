import { mkdtempSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { csvSequences } from '../../src/data/csv-sequences.ts';
import type { SequenceShape } from '../../src/data/dataset.ts';
import { packExamples } from '../../src/data/table/examples.ts';
import { openPack, writePack } from '../../src/data/table/pack.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { dataFolder } from './support/data-files.ts';
import { complete, examplesOf } from './support/read-all.ts';

const number = fc.double({ noNaN: true, min: -1e6, max: 1e6 });
const sequences = fc.array(
  fc.array(fc.record({ values: fc.tuple(number, number), target: fc.constantFrom(0, 1) }), {
    minLength: 1,
    maxLength: 6,
  }),
  { minLength: 1, maxLength: 12 },
);
const plain = { kind: 'number', mask: false, fill: 0 } as const;
const encoding = {
  columns: [
    { ...plain, mean: 3, factor: 0.25 },
    { ...plain, mean: -0.5, factor: 7 },
  ],
  targets: [],
};

it('examples are the same from memory and from the file, for one target a sequence and one a step', () => {
  const parent = temporaryDirectory();
  fc.assert(
    fc.property(sequences, fc.boolean(), fc.boolean(), (given, perStep, numeric) => {
      const folder = mkdtempSync(join(parent, 'pack-'));
      const writer = writePack(folder);
      for (const steps of given) {
        const targets = steps.map(({ target }) => target);
        writer.add({
          values: Float64Array.from(steps.flatMap(({ values }) => values)),
          statics: [],
          targets: perStep ? targets : targets.slice(0, 1),
          ...{ weight: undefined, key: undefined, name: undefined },
        });
      }
      writer.finish({
        ...{ features: ['a', 'b'], columns: ['a', 'b'], labels: ['no', 'yes'] },
        targets: { count: 1, each: perStep ? 'step' : 'sequence' },
        ...{ statics: [], categories: {}, weighted: false, key: null, keyLabels: [], missing: {} },
      });
      writer.close();
      const pack = openPack(folder);
      const longest = Math.max(...given.map(({ length }) => length));
      const classes = { classes: 2, labels: ['yes', 'no'] } as const;
      const shape: SequenceShape = {
        steps: longest,
        input: { kind: 'values', features: 2 },
        variableLength: true,
        task: perStep
          ? { kind: 'labelling', ...classes }
          : numeric
            ? { kind: 'regression', outputs: 1 }
            : { kind: 'classification', ...classes },
      };
      // Every other sequence, the last first.
      const members = Int32Array.from(given.keys())
        .filter((index) => index % 2 === 0)
        .reverse();
      const read = (most: number) =>
        examplesOf(shape, packExamples(pack, { shape, encoding }, most)(members));
      const wanted = Array.from(members, (member) => {
        const steps = given[member] ?? [];
        const padding = longest - steps.length;
        const targets = steps.map(({ target }) => (perStep || !numeric ? 1 - target : target));
        return {
          inputs: [
            ...steps.flatMap(({ values: [a, b] }) => [
              Math.fround((a - 3) * 0.25),
              Math.fround((b + 0.5) * 7),
            ]),
            ...Array<number>(2 * padding).fill(0),
          ],
          length: steps.length,
          targets: perStep ? [...targets, ...Array<number>(padding).fill(0)] : targets.slice(0, 1),
        };
      });
      expect(read(Infinity)).toEqual(wanted);
      expect(read(0)).toEqual(wanted);
    }),
    { numRuns: 60 },
  );
});

it('the scaling is found once for a table and a split, and kept', async () => {
  const rows = Array.from({ length: 40 }, (_, id) => `${id},${Math.sin(id)},${id % 2 ? 'odd' : 'even'}`);
  const context = dataFolder({ 'a.csv': ['id,value,label', ...rows].join('\n') });
  const load = (splitSeed: number) =>
    csvSequences.load(
      complete(csvSequences, { file: 'a.csv', sequence: 'id', targets: ['label'], splitSeed }),
      context,
    );
  const packed = () => readdirSync(join(context.baseDirectory, 'cache', 'datasets', 'packed')).length;
  const first = await load(1);
  const kept = packed();
  const again = await load(1);
  expect(packed()).toBe(kept);
  expect(examplesOf(again.shape, again.train)).toEqual(examplesOf(first.shape, first.train));
  const values = examplesOf(first.shape, first.train).map(({ inputs }) => inputs[0] ?? 0);
  expect(values.reduce((sum, value) => sum + value, 0)).toBeCloseTo(0, 4);
  expect(values.reduce((sum, value) => sum + value ** 2, 0) / values.length).toBeCloseTo(1, 4);
  await load(2);
  expect(packed()).toBe(kept + 1);
});
