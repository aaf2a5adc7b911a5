import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { guessSeriesSettings } from '../../src/data/series/guess-columns.ts';
import { guessTableSettings } from '../../src/data/table/guess-table.ts';
import { dataFolder } from './support/data-files.ts';

const guess = (text: string | Uint8Array) =>
  guessTableSettings(join(dataFolder({ 'a.csv': text }).baseDirectory, 'a.csv'));

it('finds sequences, dates, targets, categories and gaps', () => {
  const rows = ['a', 'b', 'c'].flatMap((id, at) =>
    [1, 2].map((day) => `${id};2024-03-0${day};${day === 2 ? '' : at};${day % 2 ? 'sun' : 'rain'};s${at};up`),
  );
  expect(guess(['id;date;x;weather;site;label', ...rows].join('\n'))).toEqual({
    ...{ delimiter: ';', sequence: 'id', order: 'date', targets: ['label'] },
    ...{ static: ['site'], categorical: ['weather', 'site'], missing: 'interpolate' },
  });
});

it('proposes nothing where no column tells sequences apart', () => {
  expect(guess('x,y\n1,2\n3,4\n')).toEqual({});
});

it('finds decimals behind a comma, in a compressed file, too, unless the comma may be between thousands', () => {
  const rows = ['a', 'b'].flatMap((id) => [1, 2].map((at) => `${id};${at};1,${at}00;x`));
  const text = ['id;t;x;label', ...rows].join('\n');
  const found = { delimiter: ';', sequence: 'id', order: 't', targets: ['label'] };
  expect(guess(text)).toEqual({ ...found, categorical: ['x'] });
  const certain = text.replace('1,100', '1,15');
  expect(guess(certain)).toEqual({ ...found, decimal: ',' });
  expect(guess(gzipSync(certain))).toEqual({ ...found, decimal: ',' });
  expect(guess(gzipSync(certain).subarray(0, 40))).toEqual({});
});

it('finds rows that are missing in one of several series', () => {
  const seriesOf = (text: string) =>
    guessSeriesSettings({ path: join(dataFolder({ 'a.csv': text }).baseDirectory, 'a.csv') }, 'csv');
  const rows = ['a', 'b'].flatMap((id) => [1, 2, 3, 4, 5].map((day) => `2024-03-0${day},${id},${day}`));
  const whole = { time: 'date', series: 'id', targets: ['x'], window: 1 };
  expect(seriesOf(['date,id,x', ...rows].join('\n'))).toEqual(whole);
  expect(seriesOf(['date,id,x', ...rows.toSpliced(7, 1)].join('\n'))).toEqual({
    ...whole,
    missing: 'interpolate',
  });
});
