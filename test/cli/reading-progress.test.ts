import { expect, test } from 'vitest';
import { showReading } from '../../src/cli/reading-progress.ts';

/** Reads a file of 2 GB, 10 MB each 100 ms. */
const read = ({ isTTY, untilBytes = 2e9 }: { isTTY: boolean; untilBytes?: number }) => {
  let time = 0;
  const written: string[] = [];
  const write = (text: string | Uint8Array) => written.push(String(text)) > 0;
  const progress = showReading({ isTTY, write }, () => time);
  for (let readBytes = 1e7; readBytes <= untilBytes; readBytes += 1e7) {
    progress.listen({ activity: 'packing', name: 'data.csv', readBytes, totalBytes: 2e9 });
    time += 100;
  }
  return { written, end: progress.end };
};

test('a pipe gets a plain line every ten seconds, with an estimate', () => {
  const { written, end } = read({ isTTY: false });
  end();
  expect(written).toEqual([
    'packing data.csv: 5% of 2.0 GB, 17s left\n',
    'packing data.csv: 55% of 2.0 GB, 8.8s left\n',
  ]);
});

test('a terminal shows one line that is taken away at the end', () => {
  const { written } = read({ isTTY: true });
  expect(written[0]).toBe('\rpacking data.csv: 5% of 2.0 GB, 17s left\u001B[K');
  expect(written.length).toBeGreaterThan(50);
  expect(written.at(-1)).toBe('\r\u001B[K');
});

test('a file that cannot be used leaves no line behind', () => {
  const { written, end } = read({ isTTY: true, untilBytes: 1e9 });
  end();
  expect(written.at(-1)).toBe('\r\u001B[K');
});

test('a small file is read without a word', () => {
  expect(read({ isTTY: true, untilBytes: 9e7 }).written).toEqual([]);
});
