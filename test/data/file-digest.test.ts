import { existsSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { fileDigest, findDataFile } from '../../src/data/files.ts';
import { changeStamp } from '../../src/system/change-stamp.ts';
import { dataFolder } from './support/data-files.ts';

it('a digest is kept for a file that is not young: within a tick of the clock another content has the same stamp', async () => {
  const context = dataFolder({ 'a.csv': 'one' });
  const digest = async () => await fileDigest(await findDataFile('a.csv', context, 'file'));
  const kept = () => {
    const folder = join(context.baseDirectory, 'cache', 'datasets', 'digests');
    return existsSync(folder) ? readdirSync(folder) : [];
  };
  const whileYoung = await digest();
  expect(kept()).toEqual([]);
  utimesSync(join(context.baseDirectory, 'a.csv'), 1000, 1000);
  expect(await digest()).toBe(whileYoung);
  expect(kept()).toHaveLength(1);
});

it('a file has a stamp once it is not young, and another one after a change that keeps size and time', () => {
  const path = join(dataFolder({ 'a.csv': 'one' }).baseDirectory, 'a.csv');
  expect(changeStamp(path)).toBeUndefined();
  utimesSync(path, 1000, 1000);
  const before = changeStamp(path);
  expect(before).toMatch(/^1000000-/);
  expect(changeStamp(path)).toBe(before);
  const waiting = performance.now() + 20;
  while (performance.now() < waiting);
  writeFileSync(path, 'two');
  utimesSync(path, 1000, 1000);
  expect(changeStamp(path)).not.toBe(before);
  expect(changeStamp(join(path, '..'))).toBeUndefined();
  expect(changeStamp(`${path}.gone`)).toBeUndefined();
});
