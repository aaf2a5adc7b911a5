import { expect, it } from 'vitest';
import { randomStream } from '../../src/data/random.ts';
import { shorten, shortenApart } from '../../src/terminal/shorten.ts';
import { renderTable } from '../../src/terminal/table.ts';
import { widthOf } from '../../src/terminal/width.ts';
import { testSeed } from '../support/seed.ts';

const short = (texts: readonly string[], width: number) =>
  shortenApart(
    texts,
    texts.map(() => width),
  );

it('cuts in the middle, and leaves what fits', () => {
  expect(shorten('learningRate 0.001', 18)).toBe('learningRate 0.001');
  expect(shorten('learningRate 0.001', 10)).toBe('learni…001');
  expect(shorten('learningRate 0.001', 10, { tail: 0 })).toBe('learningR…');
  expect(shorten('learningRate 0.001', 0)).toBe('');
});

it('cuts texts at their end while they stay different', () => {
  expect(short(['a short one', 'b', 'another long one'], 8)).toEqual(['a short…', 'b', 'another…']);
});

it('keeps texts with a common beginning, a common end or both different', () => {
  expect(short(['customer_complaint_a', 'customer_complaint_b', 'other'], 8)).toEqual([
    'custom…a',
    'custom…b',
    'other',
  ]);
  expect(short(['sensor_1_reading', 'sensor_2_reading', 'sensor_12_reading'], 7)).toEqual([
    '…1_rea…',
    '…2_rea…',
    '…12_re…',
  ]);
  expect(
    short(
      ['department_of_works_bridges', 'department_of_works_bridge_repair', 'department_of_works_roof_repair'],
      18,
    ),
  ).toEqual(['…bridges', '…bridge_repair', '…roof_repair']);
  expect(short(['same text twice', 'same text twice'], 6)).toEqual(['same …', 'same …']);
  expect(short(['aaaaaaaaXaaaaaaa', 'aaaaaaaaYaaaaaaa'], 3)).toEqual(['…X…', '…Y…']);
  expect(short(['aaaaaaaaaXaaaaaaab', 'aaaaaaaaaaXaaaaaac', 'aaaaaaaaaaaXaaaaab'], 2)).toEqual([
    '…1',
    '…2',
    '…3',
  ]);
});

it('keeps random texts that differ different, within their widths', () => {
  const random = randomStream(testSeed, 'shorten');
  const pick = (most: number) => random.integer(most);
  for (let round = 0; round < 100; round++) {
    const shared = ['', 'label_', 'a long beginning that they share '][pick(3)] ?? '';
    const end = ['', ' and an end that they share'][pick(2)] ?? '';
    const texts = Array.from(
      { length: 1 + pick(20) },
      () => `${shared}${'ab中'.charAt(pick(3))}${pick(40)}${end}`,
    );
    const widths = texts.map(() => 5 + pick(20));
    const shown = shortenApart(texts, widths, { measure: widthOf });
    for (const [at, text] of shown.entries()) {
      expect(widthOf(text)).toBeLessThanOrEqual(widths[at] as number);
      for (const [other, otherText] of shown.entries())
        if (text === otherText) expect(texts[other]).toBe(texts[at]);
    }
  }
});

it('keeps titles and cells of a narrow table different', () => {
  const labels = Array.from({ length: 8 }, (_, at) => `department_of_public_works_${at + 1}`);
  const lines = renderTable(
    ['truth', ...labels].map((title) => ({ title, align: 'left', keep: Infinity })),
    labels.map((label, row) =>
      [label, ...labels.map((_, column) => String(row === column ? 5 : 0))].map((text) => ({ text })),
    ),
    { width: 80 },
  );
  const headings = lines[0]?.split(/\s+/) ?? [];
  expect(new Set(headings).size).toBe(9);
  expect(headings.at(-1)).toMatch(/^d.*…8$/);
  expect(new Set(lines.slice(1).map((line) => line.split(/\s+/)[0])).size).toBe(8);
  for (const line of lines) expect(line.length).toBeLessThanOrEqual(80);
});
