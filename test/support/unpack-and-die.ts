import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { join } from 'node:path';
import { dieAtCall } from './die-at-call.ts';
import { packed, unpackHere } from './packed-runs.ts';

/**
 * Unpacks a packed run over copies of an earlier record of it, each in a process that is killed right before another call of the
 * file system. Prints the copies' folders as JSON.
 */
const { FROM = '', EARLIER = '', NAME = '', OUT = '', DIE_AT } = process.env;

const unpackUntil = async (dieAt: number): Promise<void> => {
  const pack = await packed(FROM);
  const calls = dieAtCall(dieAt, ['mkdir', 'open', 'rename', 'rm']);
  const result = await unpackHere(pack, join(OUT, String(dieAt), NAME));
  if (!result.ok) throw new Error(result.errors[0]?.message);
  console.log(calls());
};

const inOtherProcess = (dieAt: number) => {
  fs.cpSync(EARLIER, join(OUT, String(dieAt)), { recursive: true });
  const env = { ...process.env, DIE_AT: String(dieAt) };
  return spawnSync(process.execPath, [process.argv[1] ?? ''], { env, encoding: 'utf8' });
};

if (DIE_AT === undefined) {
  const calls = Number(inOtherProcess(0).stdout);
  // Those before write in the folder beside only.
  const last = Array.from({ length: 12 }, (_, index) => calls - index);
  for (const dieAt of [1, 4, ...last]) {
    const { signal } = inOtherProcess(dieAt);
    if (signal !== 'SIGKILL') throw new Error(`not killed at call ${dieAt} of ${calls}`);
  }
  console.log(JSON.stringify([0, 1, 4, ...last].map((dieAt) => join(OUT, String(dieAt)))));
} else await unpackUntil(Number(DIE_AT));
