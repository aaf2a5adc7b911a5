import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { writeWhole } from '../../src/system/files.ts';
import { seededBytes } from '../support/seed.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

/** Writing system calls of this process so far. */
const writeCalls = (): number => Number(/syscw: (\d+)/.exec(readFileSync('/proc/self/io', 'utf8'))?.[1]);

const pieces = (lengths: readonly number[]): Uint8Array[] =>
  lengths.map((length, at) => seededBytes(length, `piece ${at}`));

test.each([
  ['none', []],
  ['empty ones', [0, 0]],
  ['small ones around large ones', [1, 200_000, 0, 7, 9, 65_536, 65_535, 2, 65_537, 3]],
  ['many of all sizes', Array.from({ length: 300 }, (_, at) => (at * 7919) % 5000)],
])('a file written in pieces is their concatenation: %s', (_, lengths) => {
  const path = join(temporaryDirectory(), 'file');
  const parts = pieces(lengths);
  writeWhole(path, parts);
  expect(readFileSync(path).equals(Buffer.concat(parts))).toBe(true);
});

test.runIf(process.platform === 'linux')('small pieces are written together', () => {
  const parts = pieces(Array.from({ length: 2000 }, () => 20));
  const before = writeCalls();
  writeWhole(join(temporaryDirectory(), 'file'), parts);
  // Other threads of this process write now and then.
  expect(writeCalls() - before).toBeLessThan(200);
});
