import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { parseStoreAddress } from '../../src/store/address.ts';
import { openStoreAt } from '../../src/store/open-address.ts';
import type { Store } from '../../src/store/store.ts';
import { takeRun } from '../../src/store/take-run.ts';
import { packed, packedPlan, writeSealedRun } from '../support/packed-runs.ts';
import { runTypeScript } from '../support/run-typescript.ts';
import { seededBytes } from '../support/seed.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const opened = async (root: string): Promise<Store> => {
  const address = parseStoreAddress(root, '/');
  const store = address.ok ? await openStoreAt(address.value) : address;
  if (!store.ok) throw new Error(store.errors[0]?.message);
  return store.value;
};

const [run] = packedPlan.runs;
if (!run) throw new Error('no run');

test('a push that is killed at any step leaves no run or the whole run, and the next push completes it', async () => {
  const from = writeSealedRun(temporaryDirectory());
  const script = new URL('../support/push-and-die.ts', import.meta.url).pathname;
  const stores = JSON.parse(
    await runTypeScript(script, { DIRECTORY: from, OUT: temporaryDirectory() }),
  ) as string[];
  const seen = new Set<string>();
  for (const root of stores) {
    const store = await opened(root);
    const { kind } = await takeRun(store, run, { runsDirectory: temporaryDirectory() });
    expect(['missing', 'taken'], root).toContain(kind);
    seen.add(kind);
    expect((await store.push(from)).ok).toBe(true);
    expect(await takeRun(store, run, { runsDirectory: temporaryDirectory() })).toEqual({ kind: 'taken' });
  }
  expect([...seen].sort()).toEqual(['missing', 'taken']);
});

const canMount =
  process.platform === 'linux' &&
  process.getuid?.() === 0 &&
  spawnSync('unshare', ['--mount', 'mount', '-t', 'tmpfs', 'none', '/mnt']).status === 0;

test.skipIf(!canMount)(
  'a store whose disk becomes full names the disk, and has no part of a run once there is room (needs root)',
  async () => {
    const disk = join(temporaryDirectory(), 'disk');
    mkdirSync(disk);
    expect(spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'none', disk]).status).toBe(0);
    onTestFinished(() => void spawnSync('umount', ['--lazy', disk]));
    const filler = join(disk, 'filler');
    const store = await opened(join(disk, 'store'));
    writeFileSync(filler, seededBytes(236 * 1024, 'filler'));
    const from = writeSealedRun(temporaryDirectory());
    await expect(store.push(from)).rejects.toThrow('no space left');
    await expect(store.states.save('r-1', await packed(from))).rejects.toThrow('no space left');
    expect(await takeRun(store, run, { runsDirectory: temporaryDirectory() })).toEqual({ kind: 'missing' });
    expect(readdirSync(join(disk, 'store', 'arriving'))).toEqual([]);
    rmSync(filler);
    expect(await store.push(from)).toMatchObject({ value: 'pushed' });
    expect(await takeRun(store, run, { runsDirectory: temporaryDirectory() })).toEqual({ kind: 'taken' });
  },
);

test('ten thousand runs are listed by experiment, and none is opened', async () => {
  const root = join(temporaryDirectory(), 'store');
  const store = await opened(root);
  const folder = join(root, 'runs', 'large');
  mkdirSync(folder, { recursive: true });
  for (let index = 0; index < 10_000; index++)
    writeFileSync(join(folder, `${index.toString(16).padStart(12, '0')}.json`), '');
  expect((await store.finished('large')).size).toBe(10_000);
  expect(await store.experiments()).toEqual(['large']);
});
