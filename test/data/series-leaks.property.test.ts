import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Static } from '@sinclair/typebox';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { csvSeries } from '../../src/data/csv-series.ts';
import type { Dataset, Split } from '../../src/data/dataset.ts';
import { dataFolder } from './support/data-files.ts';
import { complete, readAll } from './support/read-all.ts';

type Parameters = Static<typeof csvSeries.parameters>;

/** A row of the file; null is an empty cell. */
interface Row {
  readonly time: number;
  readonly id: string;
  readonly cells: readonly (number | null)[];
}

const columns = ['y', 'z', 'p', 'f'] as const;

const strategies = fc.constantFrom('interpolate', 'forward', 'mean', 'mask');

/** One to three series that begin at different times, with holes, and settings that may fit them. */
const cases = fc
  .record({
    lengths: fc.array(fc.tuple(fc.integer({ min: 30, max: 45 }), fc.integer({ min: 0, max: 6 })), {
      minLength: 1,
      maxLength: 3,
    }),
    holes: fc.integer({ min: 0, max: 40 }),
    seed: fc.integer({ min: 0, max: 1_000_000 }),
    window: fc.integer({ min: 1, max: 6 }),
    horizon: fc.integer({ min: 1, max: 3 }),
    stride: fc.integer({ min: 1, max: 3 }),
    scale: fc.constantFrom('series', 'all', 'none'),
    missing: fc.oneof(strategies, fc.record({ y: strategies, z: strategies, p: strategies, f: strategies })),
    future: fc.boolean(),
    fold: fc.constantFrom(null, 1, 2),
    validation: fc.double({ min: 0.15, max: 0.25, noNaN: true }),
    test: fc.double({ min: 0.3, max: 0.4, noNaN: true }),
  })
  .map((given) => {
    const random = scrambled(given.seed);
    const rows = given.lengths.flatMap(([length, from], series) =>
      Array.from({ length }, (_, step): Row => ({
        time: from + step,
        id: `s${series}`,
        cells: columns.map(() => (random() * 100 < given.holes ? null : random() * 100)),
      })),
    );
    const { window, horizon, stride, scale, fold, validation, test } = given;
    // Only columns that are read have a strategy.
    const missing =
      typeof given.missing === 'string' || given.future
        ? given.missing
        : { y: given.missing.y, z: given.missing.z, p: given.missing.p };
    const parameters: Partial<Parameters> = {
      file: 'a.csv',
      time: 't',
      series: 'id',
      targets: ['y', 'z'],
      past: ['p'],
      future: given.future ? ['f'] : [],
      split: { validation, test },
      rolling: fold === null ? null : 2,
      window,
      horizon,
      stride,
      scale,
      missing,
      fold,
    };
    return { rows, parameters };
  });

/** Numbers from 0 up to 1 that follow from a seed alone (mulberry32). */
const scrambled = (seed: number) => {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let value = Math.imul(state ^ (state >>> 15), state | 1);
    value ^= value + Math.imul(value ^ (value >>> 7), value | 61);
    return ((value ^ (value >>> 14)) >>> 0) / 2 ** 32;
  };
};

/** Loads rows as a file, in a folder of the test. */
const createLoad = () => {
  const context = dataFolder({});
  return (rows: readonly Row[], parameters: Partial<Parameters>): Promise<Dataset> => {
    const lines = rows.map(({ time, id, cells }) => [time, id, ...cells.map((cell) => cell ?? '')].join(','));
    writeFileSync(join(context.baseDirectory, 'a.csv'), ['t,id,y,z,p,f', ...lines, ''].join('\n'));
    return csvSeries.load(complete(csvSeries, parameters), context);
  };
};

/** Everything of a part that a training or an evaluation sees, as bits. */
const bitsOf = ({ shape }: Dataset, split: Split): string => {
  const { inputs, targets } = readAll(shape, split);
  const scalings = Array.from({ length: split.size }, (_, index) => {
    const { mean = [], factor = [] } = split.scaling?.(index) ?? {};
    return [...Array.from(mean), ...Array.from(factor)];
  });
  return (
    [inputs, targets].map((part) => Buffer.from(part.buffer).toString('hex')).join() +
    JSON.stringify(scalings)
  );
};

/** The time before a window's targets: the last one that its inputs may show. */
const cutoffs = (split: Split): readonly number[] =>
  Array.from({ length: split.size }, (_, index) => Number(split.id?.(index).split(' ')[1]));

/** The rows with other numbers, and other holes, from a time on. */
const changedFrom = (rows: readonly Row[], time: number): readonly Row[] =>
  rows.map((row) =>
    row.time < time
      ? row
      : {
          ...row,
          cells: row.cells.map((cell, at) => (cell === null ? row.time + at : at === 1 ? null : cell + 1000)),
        },
  );

it('no target is in two parts, and every part is later than the one before it', async () => {
  const load = createLoad();
  let tried = 0;
  await fc.assert(
    fc.asyncProperty(cases, async ({ rows, parameters }) => {
      const dataset = await load(rows, parameters);
      const horizon = parameters.horizon ?? 1;
      const lastOf = (split: Split) => Math.max(...cutoffs(split)) + horizon;
      const firstOf = (split: Split) => Math.min(...cutoffs(split)) + 1;
      const { train, validation = train, test } = dataset;
      expect(lastOf(train)).toBeLessThan(firstOf(validation));
      expect(lastOf(validation)).toBeLessThan(firstOf(test));
      tried++;
    }),
    { numRuns: 30 },
  );
  expect(tried).toBe(30);
});

it('nothing of validation or test enters training, and nothing of test enters validation', async () => {
  const load = createLoad();
  await fc.assert(
    fc.asyncProperty(cases, async ({ rows, parameters }) => {
      const before = await load(rows, parameters);
      const { train, validation = train, test } = before;
      const trainBits = bitsOf(before, train);
      const validationBits = bitsOf(before, validation);
      const other = await load(changedFrom(rows, Math.min(...cutoffs(validation)) + 1), parameters);
      expect(bitsOf(other, other.train)).toBe(trainBits);
      const late = await load(changedFrom(rows, Math.min(...cutoffs(test)) + 1), parameters);
      expect(bitsOf(late, late.validation ?? late.train)).toBe(validationBits);
    }),
    { numRuns: 30 },
  );
});

it('the inputs of a window never show what comes after it, whatever fills the holes', async () => {
  const load = createLoad();
  await fc.assert(
    fc.asyncProperty(cases, fc.nat(), async ({ rows, parameters }, pick) => {
      // Scales and means of the training part may depend on every row of it.
      const chosen = { ...parameters, future: [], scale: 'none' as const };
      if (JSON.stringify(chosen.missing).includes('mean')) return;
      const dataset = await load(rows, chosen);
      const { train } = dataset;
      const index = pick % train.size;
      const cutoff = cutoffs(train)[index] as number;
      const inputsOf = (one: Dataset, at: number) => {
        const { inputs } = readAll(one.shape, one.train);
        const width = inputs.length / one.train.size;
        return [...inputs.subarray(at * width, (at + 1) * width)];
      };
      const firstKnown = (column: number) =>
        rows.some(
          ({ id, time, cells }) =>
            id === train.id?.(index).split(' ')[0] && time <= cutoff && cells[column] !== null,
        );
      // A series without any value so far is filled with the mean of the training part.
      if (![0, 1, 2].every(firstKnown)) return;
      const changed = rows.map((row) =>
        row.time <= cutoff
          ? row
          : { ...row, cells: row.cells.map((cell) => (cell === null ? null : cell + 1000)) },
      );
      expect(inputsOf(await load(changed, chosen), index)).toEqual(inputsOf(dataset, index));
    }),
    { numRuns: 30 },
  );
});
