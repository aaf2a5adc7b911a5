import stringWidth from 'string-width';
import { expect, test } from 'vitest';
import { widthOf } from '../../src/terminal/width.ts';

test('every character up to U+3000 is as wide as string-width says', () => {
  const other: string[] = [];
  for (let point = 0x20; point < 0x3000; point++) {
    const text = `a${String.fromCharCode(point)}b`;
    if (widthOf(text) !== stringWidth(text)) other.push(point.toString(16));
  }
  expect(other).toEqual([]);
});

test.each([
  '',
  '\u001b[1;31mred\u001b[0m',
  '日本語 é',
  '👩🏽‍🚀 lr 0.004',
  '┌─┐ ██▌ …',
  '\u001b[32m✓\u001b[39m done',
])('%j', (text) => {
  expect(widthOf(text)).toBe(stringWidth(text));
});
