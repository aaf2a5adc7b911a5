import stringWidth from 'string-width';
import { createColors } from 'picocolors';
import { expect, test } from 'vitest';
import { type Column, fit, renderTable } from '../../../src/terminal/table.ts';

const columns: Column[] = [
  { title: 'name', align: 'left', keep: Infinity },
  { title: 'loss', align: 'right', keep: 2 },
  { title: 'steps', align: 'right', keep: 1 },
  { title: 'none', align: 'right', keep: 9 },
];
const rows = [
  ['短い名前', '0.25', '100', ''],
  ['a long name indeed', '12.5', '7', ''],
].map((row) => row.map((text) => ({ text })));

test('columns are aligned by what the eye sees; empty ones do not show', () => {
  expect(renderTable(columns, rows, { width: 80 })).toEqual([
    'name                loss  steps',
    '短い名前            0.25    100',
    'a long name indeed  12.5      7',
  ]);
});

test('where it is too wide, the least useful columns go first, then the widest is cut', () => {
  expect(renderTable(columns, rows, { width: 24 })[2]).toBe('a long name indeed  12.5');
  expect(renderTable(columns, rows, { width: 20 })[2]).toBe('a long name indeed');
  expect(renderTable(columns, rows, { width: 10 }).slice(0, 3)).toEqual(['name', '短い名前', 'a long na…']);
  for (let width = 4; width < 40; width++) {
    for (const line of renderTable(columns, rows, { width })) {
      expect(stringWidth(line)).toBeLessThanOrEqual(width);
    }
  }
});

test('a table says which columns do not fit, unless it is drawn again and again', () => {
  expect(renderTable(columns, rows, { width: 24 }).slice(3)).toEqual([
    'Too narrow for steps:',
    'widen the terminal.',
  ]);
  expect(renderTable(columns, rows, { width: 24, silent: true })).toHaveLength(3);
  expect(renderTable(columns, rows, { width: 80 })).toHaveLength(3);
});

test('colours take no room', () => {
  const pc = createColors(true);
  const painted = rows.map((row) => row.map((cell) => ({ ...cell, paint: pc.red })));
  expect(renderTable(columns, painted, { width: 80 }).map((line) => stringWidth(line))).toEqual([31, 31, 31]);
});

test('a text is cut between letters, never inside one', () => {
  expect(fit('短い名前', 8)).toBe('短い名前');
  expect(fit('短い名前', 6)).toBe('短い…');
  expect(fit('👩‍👩‍👧 family', 4)).toBe('👩‍👩‍👧 …');
  expect(fit('ab', 0)).toBe('');
});

test('a table may be longer than a call has room for arguments', () => {
  const many = Array.from({ length: 150_000 }, (_, at) => [{ text: `${at}` }]);
  expect(renderTable([{ title: 'n', align: 'right', keep: Infinity }], many, { width: 80 })).toHaveLength(
    150_001,
  );
});
