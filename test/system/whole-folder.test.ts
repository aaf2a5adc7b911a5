import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { processIdentity } from '../../src/system/process-identity.ts';
import { makeFolder } from '../../src/system/whole-folder.ts';

const freshParent = () => mkdtempSync(join(tmpdir(), 'unroll-folder-'));

test('two that make a folder at once share one, and neither leaves anything beside it', async () => {
  const parent = freshParent();
  const folder = join(parent, 'packed');
  let bothFill = () => {};
  const both = new Promise<void>((resolve) => (bothFill = resolve));
  let filling = 0;
  const fill = async (beside: string) => {
    if (++filling === 2) bothFill();
    await both;
    expect(existsSync(folder)).toBe(false);
    writeFileSync(join(beside, 'file'), 'content');
  };
  await Promise.all([makeFolder(folder, fill), makeFolder(folder, fill)]);
  expect(readFileSync(join(folder, 'file'), 'utf8')).toBe('content');
  expect(readdirSync(parent)).toEqual(['packed']);
  await makeFolder(folder, fill);
  expect(filling).toBe(2);
});

test('a folder that cannot be filled does not appear', async () => {
  const parent = freshParent();
  const fill = () => Promise.reject(new Error('no data'));
  await expect(makeFolder(join(parent, 'packed'), fill)).rejects.toThrow('no data');
  expect(readdirSync(parent)).toEqual([]);
});

test('what a killed process left is removed, though its number was given again; that of a living one stays', async () => {
  const parent = freshParent();
  const { pid, processStartedAt } = processIdentity();
  const dead = processStartedAt + 1;
  const names = [`packed.${pid}-${dead}-00000001`, `packed.${pid}-${processStartedAt}-00000002`];
  for (const name of [...names, `other.${pid}-${dead}-00000003`]) mkdirSync(join(parent, name));
  await makeFolder(join(parent, 'packed'), () => undefined);
  const kept = process.platform === 'linux' ? names.slice(1) : names;
  expect(readdirSync(parent).sort()).toEqual([`other.${pid}-${dead}-00000003`, 'packed', ...kept].sort());
});
