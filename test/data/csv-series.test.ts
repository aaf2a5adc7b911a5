import { describe, expect, it } from 'vitest';
import type { Static } from '@sinclair/typebox';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { csvSeries } from '../../src/data/csv-series.ts';
import { DataError, type Dataset } from '../../src/data/dataset.ts';
import { jsonlSeries, parquetSeries } from '../../src/data/plain-series.ts';
import { dataFolder } from './support/data-files.ts';
import { complete, examplesOf } from './support/read-all.ts';

type Parameters = Partial<Static<typeof csvSeries.parameters>>;

const plain: Parameters = {
  file: 'a.csv',
  time: 't',
  targets: ['y'],
  window: 2,
  scale: 'none',
  split: { validation: 0.2, test: 0.2 },
};

const load = async (text: string, parameters: Parameters = {}): Promise<Dataset> => {
  const context = dataFolder({ 'a.csv': text });
  const chosen = complete(csvSeries, { ...plain, ...parameters });
  const dataset = await csvSeries.load(chosen, context);
  expect(await csvSeries.shape(chosen, context)).toEqual(dataset.shape);
  return dataset;
};

const mistakeOf = async (text: string, parameters: Parameters = {}): Promise<DataError> => {
  const error: unknown = await load(text, parameters).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(DataError);
  return error as DataError;
};

/** The parts as `[inputs, targets]` of each window. */
const windowsOf = ({ shape, train, validation, test }: Dataset) => {
  const of = (split: Dataset['test'] | undefined) =>
    split && examplesOf(shape, split).map(({ inputs, targets }) => [inputs, targets]);
  return { train: of(train), validation: of(validation), test: of(test) };
};

const csv = (header: string, ...rows: readonly string[]) => [header, ...rows, ''].join('\n');

const ten = csv('t,y', ...Array.from({ length: 10 }, (_, t) => `${t},${10 * t}`));

describe('the windows of a series', () => {
  it('belong to the part that their targets lie in, and read the past across the border', async () => {
    expect(windowsOf(await load(ten))).toEqual({
      train: [
        [[0, 10], [20]],
        [[10, 20], [30]],
        [[20, 30], [40]],
        [[30, 40], [50]],
      ],
      validation: [
        [[40, 50], [60]],
        [[50, 60], [70]],
      ],
      test: [
        [[60, 70], [80]],
        [[70, 80], [90]],
      ],
    });
  });

  it('are left out where their targets lie in two parts', async () => {
    const { train, validation, test } = windowsOf(await load(ten, { horizon: 2 }));
    expect(train?.map(([, targets]) => targets)).toEqual([
      [20, 30],
      [30, 40],
      [40, 50],
    ]);
    expect(validation).toEqual([
      [
        [40, 50],
        [60, 70],
      ],
    ]);
    expect(test).toEqual([
      [
        [60, 70],
        [80, 90],
      ],
    ]);
  });

  it('begin every `stride` steps', async () => {
    const { train } = windowsOf(await load(ten, { stride: 2 }));
    expect(train?.map(([, targets]) => targets)).toEqual([[20], [40]]);
  });

  it('have the parts that begin at given times', async () => {
    const days = csv('t,y', ...Array.from({ length: 8 }, (_, t) => `2024-02-2${t + 1},${t}`));
    const dataset = await load(days, { split: { validation: '2024-02-25', test: '2024-02-27' } });
    expect(windowsOf(dataset).validation).toEqual([
      [[2, 3], [4]],
      [[3, 4], [5]],
    ]);
    expect(windowsOf(dataset).test?.map(([, targets]) => targets)).toEqual([[6], [7]]);
  });

  it('are in the order of the time, whatever the order of the rows', async () => {
    const [header = '', ...rows] = ten.trim().split('\n');
    expect(windowsOf(await load(csv(header, ...rows.toReversed())))).toEqual(windowsOf(await load(ten)));
  });

  it('never cross from one series into another, and parts begin at the same time in all of them', async () => {
    const text = csv(
      't,id,y',
      ...Array.from({ length: 10 }, (_, t) => `${t},a,${t}`),
      ...Array.from({ length: 6 }, (_, t) => `${t + 4},b,${100 + t}`),
    );
    const dataset = await load(text, { series: 'id' });
    const targets = (part: 'train' | 'test') =>
      windowsOf(dataset)[part]?.map(([, targets = []]) => targets[0]);
    expect(targets('train')).toEqual([2, 3, 4, 5]);
    expect(targets('test')).toEqual([8, 9, 104, 105]);
    expect([0, 2].map((index) => dataset.test.id?.(index))).toEqual(['a 7', 'b 7']);
  });

  it('come from JSON lines as from CSV', async () => {
    const lines = Array.from({ length: 10 }, (_, t) => JSON.stringify({ t, y: 10 * t })).join('\n');
    const chosen = complete(jsonlSeries, { ...plain, file: 'a.jsonl' });
    const dataset = await jsonlSeries.load(chosen, dataFolder({ 'a.jsonl': lines }));
    expect(windowsOf(dataset)).toEqual(windowsOf(await load(ten)));
  });
});

it('come from Parquet with its timestamps, and from CSV with semicolons and decimal commas', async () => {
  const day = (t: number) => new Date(Date.UTC(2024, 0, 1 + t));
  const bytes = parquetWriteBuffer({
    columnData: [
      { name: 't', data: Array.from({ length: 10 }, (_, t) => day(t)), type: 'TIMESTAMP' },
      { name: 'y', data: Array.from({ length: 10 }, (_, t) => t + 0.5), type: 'DOUBLE' },
    ],
  });
  const chosen = complete(parquetSeries, { ...plain, file: 'a.parquet' });
  const parquet = await parquetSeries.load(chosen, dataFolder({ 'a.parquet': new Uint8Array(bytes) }));
  expect(windowsOf(parquet).test).toEqual([
    [[6.5, 7.5], [8.5]],
    [[7.5, 8.5], [9.5]],
  ]);
  expect(parquet.test.id?.(0)).toBe('2024-01-08');
  const text = ['t;y', ...Array.from({ length: 10 }, (_, t) => `${t};${t},5`), ''].join('\n');
  expect(windowsOf(await load(text, { decimal: ',' })).test).toEqual(windowsOf(parquet).test);
});

describe('the inputs', () => {
  it('are the targets, the past columns, and over the horizon only what is known ahead', async () => {
    const text = csv('t,y,p,f', ...Array.from({ length: 10 }, (_, t) => `${t},${t},${20 + t},${40 + t}`));
    const dataset = await load(text, { past: ['p'], future: ['f'], horizon: 2 });
    expect(dataset.shape.steps).toBe(4);
    expect(windowsOf(dataset).test).toEqual([
      [
        [6, 26, 46, 0, 7, 27, 47, 0, 0, 0, 48, 1, 0, 0, 49, 1],
        [8, 9],
      ],
    ]);
  });

  it('have the calendar as sine and cosine', async () => {
    const hours = csv('t,y', ...Array.from({ length: 10 }, (_, t) => `2024-01-01T0${t}:00,0`));
    const dataset = await load(hours, { calendar: ['hour'] });
    const [[inputs = []] = []] = windowsOf(dataset).train as number[][][];
    // At 00:00, 01:00 and, in the horizon, 02:00.
    const angle = (hour: number) => (2 * Math.PI * hour) / 24;
    [0, 1, 2].forEach((hour, step) => {
      expect(inputs[4 * step + 1]).toBeCloseTo(Math.sin(angle(hour)), 6);
      expect(inputs[4 * step + 2]).toBeCloseTo(Math.cos(angle(hour)), 6);
    });
  });

  it('have static columns: words that the training part has as one input each, numbers scaled', async () => {
    const text = csv(
      't,id,y,region,size',
      ...['a,north,1', 'b,south,3'].flatMap((one) => {
        const [id, region, size] = one.split(',');
        return Array.from({ length: 10 }, (_, t) => `${t},${id},${t},${region},${size}`);
      }),
      ...Array.from({ length: 4 }, (_, t) => `${t + 6},c,0,west,2`),
    );
    const dataset = await load(text, {
      series: 'id',
      static: ['region', 'size'],
      scale: 'series',
      window: 1,
    });
    const statics = windowsOf(dataset).test?.map(([inputs = []]) => inputs.slice(1));
    expect(statics).toEqual([
      [1, 0, -1],
      [1, 0, -1],
      [0, 1, 1],
      [0, 1, 1],
      [0, 0, 0],
      [0, 0, 0],
    ]);
  });

  it('are scaled by the training part, and targets can be brought back into their unit', async () => {
    const dataset = await load(ten, { scale: 'series' });
    // Training values 0, 10, ..., 50: mean 25.
    const { mean, factor } = dataset.test.scaling?.(0) ?? { mean: [], factor: [] };
    expect(mean[0]).toBeCloseTo(25, 9);
    expect(factor[0]).toBeCloseTo(1 / Math.sqrt(291.6666666), 6);
    const [, [target = 0] = []] = (windowsOf(dataset).test as number[][][])[0] ?? [];
    expect(target / (factor[0] as number) + (mean[0] as number)).toBeCloseTo(80, 4);
  });

  it('are scaled by all series together, or each by its own', async () => {
    const text = csv(
      't,id,y',
      ...Array.from({ length: 10 }, (_, t) => `${t},a,${t % 2}`),
      ...Array.from({ length: 10 }, (_, t) => `${t},b,${100 + (t % 2)}`),
    );
    const own = await load(text, { series: 'id', scale: 'series' });
    expect([0, 2].map((index) => own.test.scaling?.(index).mean[0])).toEqual([0.5, 100.5]);
    const all = await load(text, { series: 'id', scale: 'all' });
    expect([0, 2].map((index) => all.test.scaling?.(index).mean[0])).toEqual([50.5, 50.5]);
  });
});

describe('missing values', () => {
  const withGaps = csv('t,y', '0,0', '1,1', '2,', '3,3', '5,5', '6,', '7,7', '8,8', '9,9', '10,10');

  it('are errors with file and line, as missing rows are', async () => {
    const { message } = await mistakeOf(withGaps);
    expect(message).toContain('a.csv:4: column "y" has no value');
    expect(message).toContain('a.csv:7: column "y" has no value');
    const { issues } = await mistakeOf(withGaps.replace('2,\n', '2,2\n').replace('6,\n', '6,6\n'));
    expect(issues[0]?.message).toContain('a.csv:6: the row of 4 is missing before this one');
    expect(issues[0]?.help).toContain('missing: interpolate');
  });

  it('are interpolated, and the missing row with them, but never count as a target', async () => {
    const { train } = windowsOf(await load(withGaps, { missing: 'interpolate', window: 3 }));
    expect(train).toEqual([
      [[0, 1, 1], [3]],
      [[2, 3, 3], [5]],
    ]);
    const two = windowsOf(await load(withGaps, { missing: 'interpolate', window: 3, horizon: 2 }));
    expect(two.train?.map(([, targets]) => targets)).toEqual([
      [3, NaN],
      [NaN, 5],
      [5, NaN],
    ]);
  });

  it.each([
    ['forward', [1, 3, 3]],
    ['mean', [2.25, 3, 2.25]],
  ] as const)('are filled by %s', async (missing, inputs) => {
    const { train } = windowsOf(await load(withGaps, { missing, window: 3 }));
    expect(train?.[1]?.[0]).toEqual(inputs);
  });

  it('are interpolated with an indicator beside the value', async () => {
    const { train } = windowsOf(await load(withGaps, { missing: 'mask', window: 3 }));
    expect(train?.[1]?.[0]).toEqual([2, 1, 3, 0, 3, 1]);
  });
});

describe('missing values by column', () => {
  const columns: Parameters = { past: ['p', 'q'], window: 3 };
  const holes = csv(
    't,y,p,q',
    ...['0,0,0,7', '1,1,,7', '2,2,2,', '3,3,3,9', '4,4,4,9', '5,5,5,9', '6,6,6,9'],
  );

  it('are filled as each column says, with indicators only where a column has mask', async () => {
    const missing: Parameters['missing'] = { p: 'interpolate', q: 'mask' };
    const dataset = await load(holes, { ...columns, missing });
    expect(
      await csvSeries.inspect(
        complete(csvSeries, { ...plain, ...columns, missing }),
        dataFolder({ 'a.csv': holes }),
      ),
    ).toMatchObject({ description: { inputs: { names: ['y', 'p', 'q', 'q is missing'] } } });
    // The step after the window is unknown at its end, so the last value stays; targets have no gaps here.
    expect(windowsOf(dataset).train?.[0]).toEqual([[0, 0, 7, 0, 1, 1, 7, 0, 2, 2, 7, 1], [3]]);
    expect(dataset.shape.task).toEqual({ kind: 'forecast', horizon: 1, targets: ['y'] });
  });

  it.each([
    ['forward', [0, 0, 2]],
    ['mean', [0, 2.25, 2]],
    ['mask', [0, 1, 2]],
  ] as const)('leave the other columns as they are with %s', async (strategy, filled) => {
    const { shape, train } = await load(holes, { ...columns, missing: { p: strategy, q: 'forward' } });
    const [first] = examplesOf(shape, train);
    const width = shape.input.kind === 'values' ? shape.input.features : 0;
    expect(width).toBe(strategy === 'mask' ? 4 : 3);
    expect([0, 1, 2].map((step) => first?.inputs[step * width + 1])).toEqual(filled);
    expect([0, 1, 2].map((step) => first?.inputs[step * width + 2])).toEqual([7, 7, 7]);
  });

  it('are an error in a column that is not named, with the whole setting that works', async () => {
    const { issues } = await mistakeOf(holes, { ...columns, missing: { p: 'mean' } });
    expect(issues[0]?.message).toContain('a.csv:4: column "q" has no value');
    expect(issues[0]?.message).not.toContain('column "p"');
    expect(issues[0]?.help).toContain('`missing: { p: mean, y: interpolate, q: interpolate }`');
    await load(holes, { ...columns, missing: { p: 'mean', y: 'interpolate', q: 'interpolate' } });
  });

  it('let a row be missing only where every column has a strategy', async () => {
    const without = holes.replace('4,4,4,9\n', '');
    const { issues } = await mistakeOf(without, { ...columns, missing: { p: 'mean', q: 'mask' } });
    expect(issues[0]?.message).toContain('the row of 4 is missing before this one');
    const missing: Parameters['missing'] = { p: 'mean', q: 'mask', y: 'interpolate' };
    const { shape } = await load(without, { ...columns, missing });
    expect(shape.task).toMatchObject({ hasGaps: true });
  });

  it('are the same with one word for all columns as with that word for each', async () => {
    for (const word of ['interpolate', 'forward', 'mean', 'mask'] as const) {
      const one = await load(holes, { ...columns, missing: word });
      const each = await load(holes, { ...columns, missing: { y: word, p: word, q: word } });
      expect(windowsOf(each), word).toEqual(windowsOf(one));
    }
  });

  it('are read alike from JSON lines and Parquet', async () => {
    const parameters: Parameters = { ...plain, ...columns, missing: { p: 'interpolate', q: 'mask' } };
    const cells = holes
      .trim()
      .split('\n')
      .slice(1)
      .map((line) => line.split(',').map((cell) => (cell === '' ? null : Number(cell))));
    const names = ['t', 'y', 'p', 'q'];
    const lines = cells.map((row) =>
      JSON.stringify(Object.fromEntries(row.map((cell, at) => [names[at], cell]))),
    );
    const parquet = parquetWriteBuffer({
      columnData: names.map((name, at) => ({
        name,
        data: cells.map((row) => row[at] ?? null),
        type: 'DOUBLE' as const,
        nullable: true,
      })),
    });
    const expected = windowsOf(await load(holes, parameters));
    const json = dataFolder({ 'a.jsonl': lines.join('\n') });
    expect(
      windowsOf(await jsonlSeries.load(complete(jsonlSeries, { ...parameters, file: 'a.jsonl' }), json)),
    ).toEqual(expected);
    const folder = dataFolder({ 'a.parquet': new Uint8Array(parquet) });
    expect(
      windowsOf(
        await parquetSeries.load(complete(parquetSeries, { ...parameters, file: 'a.parquet' }), folder),
      ),
    ).toEqual(expected);
  });
});

describe('mistakes in a series', () => {
  it('names both lines of a time that is there twice, and proposes to name the series', async () => {
    const { issues } = await mistakeOf(csv('t,shop,y', '1,a,1', '2,a,2', '1,b,3'));
    expect(issues[0]?.message).toContain('a.csv:4: the time 1 is also in line 2');
    expect(issues[0]?.help).toContain('`series: shop`');
  });

  it.each([
    [
      { split: { validation: 0.2, test: '2024-01-01' } },
      'split.test',
      '"2024-01-01" is not a time of this file',
    ],
    [{ split: { validation: 0.2, test: 500 } }, 'split.test', 'Nothing lies between 500'],
    [{ window: 9 }, 'window', 'has 6 steps, too few for a window of 9'],
    [{ horizon: 3 }, 'split.validation', 'no window of 2 steps with the 3 of the horizon fits'],
    [{ calendar: ['hour'] as const }, 'calendar', 'calendar needs dates'],
    [{ past: ['z'] }, 'past.0', 'a.csv has no column "z"'],
    [{ rolling: 5, fold: 1 }, 'rolling', 'cannot be cut into 5 folds'],
    [{ rolling: 2, horizon: 2 }, 'rolling', 'cannot be cut into 2 folds with a horizon of 2'],
  ])('reports %j at %s', async (parameters, path, message) => {
    const { issues } = await mistakeOf(ten, parameters as Parameters);
    expect(issues[0]).toMatchObject({ path });
    expect(issues[0]?.message).toContain(message);
  });

  it.each([
    ['training', (t: number) => t < 6],
    ['test', (t: number) => t >= 8],
  ])('names the %s part whose targets are all missing', async (part, isMissing) => {
    const text = csv('t,y', ...Array.from({ length: 10 }, (_, t) => `${t},${isMissing(t) ? '' : t}`));
    const { issues } = await mistakeOf(text, { missing: 'interpolate' });
    expect(issues[0]?.path).toBe('targets');
    expect(issues[0]?.message).toContain(`The ${part} part of a.csv has`);
    expect(issues[0]?.message).toContain('none of them has a value of "y"');
  });

  it('asks for the zone of a local time that occurs twice when clocks go back', async () => {
    const { issues } = await mistakeOf(
      csv('t,y', '2024-10-27 01:30,1', '2024-10-27 02:30,2', '2024-10-27 02:30,3', '2024-10-27 03:30,4'),
    );
    expect(issues[0]?.message).toContain('a.csv:4: the time 2024-10-27T02:30Z is also in line 3');
    expect(issues[0]?.help).toContain('need their zone, such as 2024-10-27 02:30 +01:00');
    const days = await mistakeOf(csv('t,y', '2024-10-26,1', '2024-10-27,2', '2024-10-27,3'));
    expect(days.issues[0]?.help).not.toContain('zone');
  });

  it.each([
    ['2023-02-29', 'has a day or a time that does not exist: "2023-02-29"'],
    ['01.03.2023', 'has a date that is not ISO 8601: "01.03.2023"'],
  ])('proposes ISO dates for the time %s', async (time, message) => {
    const { issues } = await mistakeOf(csv('t,y', '2023-02-27,1', '2023-02-28,2', `${time},3`));
    expect(issues[0]?.message).toContain(`a.csv:4: column "t" ${message}`);
    expect(issues[0]?.help).toContain('Write all times as numbers, or as ISO dates');
  });

  it.each([
    [{ split: { validation: 0.5, test: 0.5 } }, 'split.validation'],
    [{ split: { validation: 0.1, test: 0 } }, 'split.test'],
    [{ past: ['y'] }, 'past'],
    [{ static: ['z'] }, 'static'],
    [{ fold: 2 }, 'fold'],
    [{ fold: 4, rolling: 3 }, 'fold'],
    [{ missing: { y: 'mean', z: 'mean' } }, 'missing.z'],
    [{ missing: { t: 'forward' } }, 'missing.t'],
  ])('refuses %j before any file is read', (parameters, path) => {
    const chosen = complete(csvSeries, { ...plain, ...(parameters as Parameters) });
    expect(csvSeries.check(chosen).map((issue) => issue.path)).toEqual([path]);
  });
});

describe('rolling origins', () => {
  it('cut the test part into pieces, each tested after training on all that is before it', async () => {
    const twenty = csv('t,y', ...Array.from({ length: 20 }, (_, t) => `${t},${t}`));
    const of = async (fold: number | null) => {
      const split = { validation: 0.1, test: 0.3 };
      const { train, validation, test } = windowsOf(await load(twenty, { rolling: 3, fold, split }));
      const targets = (windows: typeof test) => windows?.map(([, targets = []]) => targets[0]);
      return [targets(train)?.at(-1), targets(validation), targets(test)];
    };
    expect(await of(null)).toEqual([11, [12, 13], [14, 15, 16, 17, 18, 19]]);
    expect(await of(1)).toEqual([11, [12, 13], [14, 15]]);
    expect(await of(3)).toEqual([15, [16, 17], [18, 19]]);
  });
});

describe('very many settings', () => {
  it('of columns that are not read are reported without comparing each with every column', () => {
    const names = (word: string) => Array.from({ length: 30_000 }, (_, at) => `${word}${at}`);
    const missing = Object.fromEntries(names('load').map((name) => [name, 'mean' as const]));
    const issues = csvSeries.check(complete(csvSeries, { ...plain, past: names('past'), missing }));
    expect(issues).toHaveLength(30_000);
    expect(issues.every(({ expected = '' }) => expected.length < 1000)).toBe(true);
  });
});
