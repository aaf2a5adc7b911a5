import { expect, test } from 'vitest';
import { progressLine } from '../../../src/tensorflow/install/progress.ts';

const collect = (isTerminal: boolean) => {
  const written: string[] = [];
  return { written, sink: { isTerminal, write: (text: string) => void written.push(text) } };
};

test('a pipe gets one plain line each quarter', () => {
  const { written, sink } = collect(false);
  const line = progressLine(sink, 'downloading', 100e6);
  for (let bytes = 0; bytes <= 100e6; bytes += 5e6) line.update(bytes);
  line.end();
  expect(written.map((text) => text.split(',')[0])).toEqual([
    expect.stringContaining('downloading: 25% of 100 MB'),
    expect.stringContaining('downloading: 50% of 100 MB'),
    expect.stringContaining('downloading: 75% of 100 MB'),
    expect.stringContaining('downloading: 100% of 100 MB'),
  ]);
  expect(written.join('')).not.toMatch(/[\r\x1b]/);
});

test('a terminal sees one line rewritten, and ends on a new one', () => {
  const { written, sink } = collect(true);
  const line = progressLine(sink, 'unpacking', 10e6);
  line.update(1e6);
  line.update(10e6);
  line.end();
  expect(written).toEqual([
    '\r\x1b[2Kunpacking: 10% of 10.0 MB',
    '\r\x1b[2Kunpacking: 100% of 10.0 MB',
    '\n',
  ]);
});
