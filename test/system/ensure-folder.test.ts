import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { ensureFolder } from '../../src/system/files.ts';
import { systemErrorOf } from '../../src/system/system-error.ts';

const place = mkdtempSync(join(tmpdir(), 'unroll-folders-'));
afterAll(() => rmSync(place, { recursive: true }));

const messageOf = (path: string): string | undefined => {
  try {
    ensureFolder(path);
  } catch (error) {
    return systemErrorOf(error)?.message;
  }
  return undefined;
};

test('folders are made from the first that is missing, which is returned', () => {
  expect(ensureFolder(join(place, 'a', 'b', 'c'))).toBe(join(place, 'a'));
  expect(ensureFolder(join(place, 'a', 'b', 'd'))).toBe(join(place, 'a', 'b', 'd'));
  expect(existsSync(join(place, 'a', 'b', 'd'))).toBe(true);
  expect(ensureFolder(join(place, 'a', 'b'))).toBeUndefined();
  expect(ensureFolder('/')).toBeUndefined();
});

test('a file in the place of a folder is named', () => {
  const file = join(place, 'file');
  writeFileSync(file, '');
  expect(messageOf(file)).toContain(`Cannot create the folder ${file}: `);
  expect(messageOf(join(file, 'x', 'y'))).toContain(`Cannot create the folder ${file}/x/y: `);
});

// Node.js' recursive mkdir never returns there.
test.runIf(process.platform === 'linux')('a system that calls a new folder missing ends the attempt', () => {
  expect(messageOf('/proc/unroll/runs')).toContain('Cannot create the folder /proc/unroll: ');
});
