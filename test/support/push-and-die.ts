import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { directoryBackend } from '../../src/store/directory-backend.ts';
import { openStore } from '../../src/store/store.ts';
import { dieAtCall } from './die-at-call.ts';

/**
 * Pushes a run to stores, each from a process that is killed right before another call of the file system. Prints the
 * stores as JSON; the last one got the whole run.
 */
const { DIRECTORY = '', OUT = '', DIE_AT } = process.env;

const storeAt = (dieAt: number | string): string => join(OUT, `store-${dieAt}`);

const pushUntil = async (dieAt: number): Promise<void> => {
  const calls = dieAtCall(dieAt, ['mkdir', 'open', 'rename', 'link', 'rm']);
  const store = await openStore(directoryBackend(storeAt(dieAt)));
  if (!store.ok) throw new Error(store.errors[0]?.message);
  const pushed = await store.value.push(DIRECTORY);
  if (!pushed.ok) throw new Error(pushed.errors[0]?.message);
  console.log(calls());
};

const inOtherProcess = (dieAt: number) => {
  const env = { ...process.env, DIE_AT: String(dieAt) };
  return spawnSync(process.execPath, [process.argv[1] ?? ''], { env, encoding: 'utf8' });
};

if (DIE_AT === undefined) {
  const calls = Number(inOtherProcess(0).stdout);
  // The last ones write the manifest; those before write one content after the other.
  const chosen = [1, 3, 8, ...Array.from({ length: 7 }, (_, index) => calls - index)];
  for (const dieAt of chosen) {
    const { signal } = inOtherProcess(dieAt);
    if (signal !== 'SIGKILL') throw new Error(`not killed at call ${dieAt} of ${calls}`);
  }
  console.log(JSON.stringify([...chosen, 0].map(storeAt)));
} else await pushUntil(Number(DIE_AT));
