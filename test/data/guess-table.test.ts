import { join } from 'node:path';
import { expect, it } from 'vitest';
import { guessTableSettings } from '../../src/data/table/guess-table.ts';
import { dataFolder } from './support/data-files.ts';

const guess = (text: string) =>
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
