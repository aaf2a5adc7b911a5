import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { acquireLock, waitForLock, waitForLockUnless } from '../../src/system/lock.ts';
import { isAlive, processIdentity } from '../../src/system/process-identity.ts';

const freshPath = () => join(mkdtempSync(join(tmpdir(), 'unroll-lock-')), 'lock');

test('a held lock names its holder, and is free after its release', () => {
  const path = freshPath();
  const lock = acquireLock(path);
  expect(acquireLock(path)).toEqual({ heldBy: processIdentity() });
  if ('release' in lock) lock.release();
  expect('release' in acquireLock(path)).toBe(true);
});

test('the lock of a dead process is taken over, and nothing stays behind', () => {
  const path = freshPath();
  const { pid } = spawnSync('true');
  writeFileSync(path, JSON.stringify({ ...processIdentity(), pid, processStartedAt: 1 }));
  const lock = acquireLock(path);
  expect('release' in lock).toBe(true);
  if ('release' in lock) lock.release();
  expect(existsSync(path)).toBe(false);
  expect(readdirSync(join(path, '..'))).toEqual([]);
});

test('a lock that cannot be read is an error, and stays', () => {
  const path = freshPath();
  symlinkSync(path, path);
  expect(() => acquireLock(path)).toThrow(/ELOOP/);
  expect(lstatSync(path).isSymbolicLink()).toBe(true);
});

// The owner of a file may delete it without the right to read it; root may read all files.
test.skipIf(process.geteuid?.() !== 0)(
  'a lock is given back by a process that cannot read it any more',
  () => {
    const path = freshPath();
    chmodSync(join(path, '..'), 0o777);
    process.seteuid?.(65534);
    try {
      const lock = acquireLock(path);
      chmodSync(path, 0);
      expect('release' in lock && lock.isHeld()).toBe(true);
      expect(() => acquireLock(path)).toThrow(/EACCES/);
      if ('release' in lock) lock.release();
    } finally {
      process.seteuid?.(0);
    }
    expect(readdirSync(join(path, '..'))).toEqual([]);
  },
);

test('a later process with the same number is not the holder', () => {
  const self = processIdentity();
  expect(isAlive(self)).toBe(true);
  expect(isAlive({ ...self, processStartedAt: self.processStartedAt + 1 })).toBe(
    process.platform !== 'linux',
  );
  expect(isAlive({ ...self, host: 'another-host' })).toBe(true);
});

test('locks that are links to one file are held and taken over alike, and a killed process leaves nothing for long', () => {
  const folder = mkdtempSync(join(tmpdir(), 'unroll-lock-'));
  const dead = JSON.stringify({ ...processIdentity(), pid: spawnSync('true').pid, processStartedAt: 1 });
  writeFileSync(join(folder, '.holder-dead'), dead);
  const first = acquireLock(join(folder, 'one', 'lock'), { folder });
  const second = acquireLock(join(folder, 'two', 'lock'), { folder });
  expect(acquireLock(join(folder, 'two', 'lock'), { folder })).toEqual({ heldBy: processIdentity() });
  expect(statSync(join(folder, 'one', 'lock')).ino).toBe(statSync(join(folder, 'two', 'lock')).ino);
  for (const lock of [first, second]) if ('release' in lock) lock.release();
  expect(readdirSync(join(folder, 'two'))).toEqual([]);
  expect(readdirSync(folder).filter((name) => name.startsWith('.holder-'))).toHaveLength(1);

  // Whoever removes the whole folder removes that file, too.
  rmSync(folder, { recursive: true });
  expect('release' in acquireLock(join(folder, 'one', 'lock'), { folder })).toBe(true);
});

const elsewhere = { ...processIdentity(), host: 'another-host', space: 'another boot' };
const makeSilent = (path: string): void => utimesSync(path, 0, 0);

test('a lease is lost by silence only where nobody can look at its holder', () => {
  const path = freshPath();
  const leaseMs = 60_000;
  writeFileSync(path, JSON.stringify(elsewhere));
  expect(acquireLock(path, { leaseMs })).toEqual({ heldBy: elsewhere });
  makeSilent(path);
  const taken = acquireLock(path, { leaseMs });
  expect('release' in taken).toBe(true);
  // This process was asleep, but it lives.
  makeSilent(path);
  const second = acquireLock(path, { leaseMs });
  expect('heldBy' in second).toBe(process.platform === 'linux');
  if ('release' in taken) taken.release();
  expect(existsSync(path)).toBe(false);
});

test('a holder renews its lease, and does not release the lock of who took it over', async () => {
  const path = freshPath();
  const lock = await waitForLock(path, { leaseMs: 60 });
  makeSilent(path);
  await expect.poll(() => statSync(path).mtimeMs).toBeGreaterThan(0);
  rmSync(path);
  writeFileSync(path, JSON.stringify(elsewhere));
  lock.release();
  expect(acquireLock(path)).toEqual({ heldBy: elsewhere });
});

test('a wait names its holder once, and ends with the lock or when it is given up', async () => {
  const path = freshPath();
  const first = await waitForLock(path);
  const waited: number[] = [];
  const onWait = ({ pid }: { readonly pid: number }) => waited.push(pid);
  let asked = 0;
  expect(await waitForLockUnless(path, () => ++asked === 3, { everyMs: 1, onWait })).toEqual({
    heldBy: processIdentity(),
  });
  expect(waited).toEqual([process.pid]);
  const second = waitForLock(path, { everyMs: 1, onWait: () => first.release() });
  (await second).release();
  expect(existsSync(path)).toBe(false);
});
