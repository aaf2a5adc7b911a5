import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import {
  interruptionOf,
  loadingShortage,
  named,
  stopsEveryRun,
  systemErrorOf,
} from '../../src/system/system-error.ts';
import { writeWhole } from '../../src/system/files.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const errorOf = (act: () => unknown): unknown => {
  try {
    act();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
};

it('names what could not be done with which path, and why', () => {
  const folder = temporaryDirectory();
  const file = join(folder, 'file');
  writeFileSync(file, '');
  symlinkSync('circle', join(folder, 'circle'));
  const long = join(folder, 'n'.repeat(300));

  const found = [
    () => readFileSync(join(folder, 'circle')),
    () => writeWhole(long, ''),
    () => mkdirSync(join(file, 'inner')),
    () => readFileSync(folder),
  ].map((act) => systemErrorOf(errorOf(act)));

  expect(found.map((one) => one?.message)).toEqual([
    `Cannot open ${folder}/circle: its symbolic links lead in a circle`,
    `Cannot write ${long}: its name or path is too long`,
    `Cannot create the folder ${file}/inner: a part of its path is not a folder`,
    'Cannot read a file: it is a folder, not a file',
  ]);
  expect(found.every((one) => one?.advice.endsWith('.'))).toBe(true);
});

it('interrupts a run for what is no fault of the run, and a sweep for what every run would meet', () => {
  const failing = (code: string) =>
    Object.assign(new Error(code), { code, syscall: 'open', path: 'run.json' });
  for (const code of ['ENOSPC', 'EDQUOT', 'EROFS', 'EIO', 'EMFILE', 'ENFILE', 'EAGAIN'])
    expect([code, interruptionOf(failing(code))?.code, stopsEveryRun(code)]).toEqual([code, code, true]);
  for (const code of ['EACCES', 'EPERM', 'EBUSY', 'EINTR', 'ELOOP', 'ENAMETOOLONG'])
    expect([code, interruptionOf(failing(code))?.code, stopsEveryRun(code)]).toEqual([code, code, false]);
  // The own code of a user may look for a file in vain.
  expect(interruptionOf(failing('ENOENT'))).toBeUndefined();
  expect(interruptionOf(new TypeError('undefined is not a function'))).toBeUndefined();
  expect(interruptionOf(new Error('the data cannot be packed', { cause: failing('EDQUOT') }))?.code).toBe(
    'EDQUOT',
  );
});

it('knows errors that Node.js has no name for, and folders that it reports as missing', () => {
  const quota = Object.assign(new Error('UNKNOWN: unknown error, write'), { code: 'UNKNOWN', errno: -122 });
  expect(interruptionOf(quota)).toMatchObject({ code: 'EDQUOT', scope: 'machine' });
  const missing = { code: 'ENOENT', errno: -2, syscall: 'mkdir', path: 'runs/a/checkpoints' };
  const folder = Object.assign(new Error('ENOENT'), missing);
  expect(interruptionOf(named(folder, 'runs/a/checkpoints/last', 'write'))?.message).toContain(
    'Cannot create the folder runs/a/checkpoints',
  );
});

it('takes a shortage for no fault of a library that cannot be loaded', () => {
  const linker = (message: string) => Object.assign(new Error(message), { code: 'ERR_DLOPEN_FAILED' });
  const found = [
    'libtensorflow_cc.so.2: failed to map segment from shared object',
    'a.node: cannot open shared object file: Too many open files',
    'a.node: cannot open shared object file: No such file or directory',
    'a.node: undefined symbol: TF_Version',
  ].map((message) => interruptionOf(loadingShortage(linker(message), 'a.node'))?.message);
  expect(found).toEqual([
    'Cannot load a.node: there is not enough memory',
    'Cannot load a.node: this process has too many open files',
    undefined,
    undefined,
  ]);
});
