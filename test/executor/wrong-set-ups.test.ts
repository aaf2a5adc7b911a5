import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { asOrdinaryUser, mayLackRights } from '../support/ordinary-user.ts';
import { noRedis, startRedis } from '../support/redis.ts';
import { createRig } from '../support/rig.ts';
import { numbersOf } from '../support/run-numbers.ts';
import { smallSpec } from '../support/small-sweep.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { runOnWorkers, startWorker, submitter, trainedHere } from '../support/workers.ts';

const hourMs = 3_600_000;

/** Node's clock, shifted: for a worker and its children. */
const withClock = (offsetMs: number): NodeJS.ProcessEnv => {
  const path = join(temporaryDirectory(), 'clock.cjs');
  writeFileSync(
    path,
    `const Real = Date;
globalThis.Date = class Date extends Real {
  constructor(...given) {
    if (given.length > 0) super(...given);
    else super(Real.now() + ${offsetMs});
  }
  static now() { return Real.now() + ${offsetMs}; }
};
`,
  );
  return { NODE_OPTIONS: `--require ${path}` };
};

/** A disk of its own, of so many megabytes; undefined where none can be mounted. */
const smallDisk = (megabytes: number): string | undefined => {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return undefined;
  const disk = join(temporaryDirectory(), 'disk');
  mkdirSync(disk);
  const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'none', disk]);
  if (status !== 0) return undefined;
  onTestFinished(() => void spawnSync('umount', ['--lazy', disk]));
  return disk;
};

describe.skipIf(noRedis !== undefined)(
  `a wrong set-up of a worker is named at the submitter (${noRedis ?? 'redis-server'})`,
  () => {
    test('a clock that is an hour ahead or behind, with which the numbers stay the same', async () => {
      const redis = await startRedis();
      for (const offset of [hourMs, -hourMs])
        await startWorker(redis.url, { environment: withClock(offset) });
      const text = smallSpec({ steps: 20, seeds: 4, run: 'threadsPerRun: 1' });
      const rig = submitter(redis.url, { spec: text });
      const { code, stderr } = await rig.unroll(...runOnWorkers);
      expect(code, stderr).toBe(0);
      expect(stderr.match(/The clock of \S+ \(process \d+\) is 1h 00m (ahead|behind)/g)).toHaveLength(2);
      expect(stderr).toContain('ahead');
      expect(stderr).toContain('behind');
      expect(numbersOf(rig)).toEqual(numbersOf(await trainedHere(text)));
    });

    test('a disk that became full since the worker was started', async (context) => {
      const disk = smallDisk(80);
      if (disk === undefined) {
        context.skip('needs root, to mount a small disk');
        return;
      }
      const redis = await startRedis();
      const worker = await startWorker(redis.url, { environment: { UNROLL_WORKER_DIR: disk } });
      const rig = submitter(redis.url, { spec: smallSpec({ steps: 5, run: 'threadsPerRun: 1' }) });
      writeFileSync(join(disk, 'filler'), Buffer.alloc(60 << 20));
      const { code, stderr } = await rig.unroll(...runOnWorkers);
      expect(code, stderr).toBe(2);
      expect(stderr.match(/its disk is full at/g), stderr).toHaveLength(1);
      expect(worker.said()).not.toContain('began ');
    });

    test.skipIf(!mayLackRights)('a store without rights, and one that may only be read', async () => {
      const redis = await startRedis();
      await startWorker(redis.url);
      const store = join(temporaryDirectory(), 'store');
      const text = smallSpec({ steps: 5, run: 'threadsPerRun: 1' });
      const before = createRig();
      before.write('spec.yaml', text.replace('name: trial', 'name: earlier'));
      expect(await before.unroll('run', 'spec.yaml', '--no-mlflow', '--store', store)).toMatchObject({
        code: 0,
      });
      const change = (...words: readonly string[]) => spawnSync('chmod', [...words, store]);
      onTestFinished(() => void change('-R', 'u+rwX'));
      for (const [rights, words] of [
        [['-R', 'a-w'], 'may only be read by this user'],
        [['000'], 'permission is denied'],
      ] as const) {
        change(...rights);
        const rig = submitter(redis.url, { spec: text, inside: asOrdinaryUser });
        const { code, stdout, stderr } = await rig.unroll(...runOnWorkers, '--store', store);
        expect(code, stderr).toBe(0);
        const said = `${stderr}${stdout}`;
        expect(said.match(new RegExp(words, 'gi')), said).toHaveLength(1);
      }
    });
  },
);
