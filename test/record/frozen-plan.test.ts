import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Execution } from '../../src/language/config.ts';
import type { Plan } from '../../src/plan/plan.ts';
import { freezePlan, frozenPlanPath } from '../../src/record/frozen-plan.ts';
import { RecordUnreadable } from '../../src/record/record-unreadable.ts';
import { listSweeps } from '../../src/record/read-sweeps.ts';
import { packageRoot } from '../../src/system/package-root.ts';
import { makePlan, writeSweep } from '../support/run-directories.ts';
import { runTypeScript } from '../support/run-typescript.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

test(
  'two processes that freeze and grow one plan at the same moment use the plan on the disk, 200 times',
  { timeout: 120_000 },
  async () => {
    const runs = temporaryDirectory();
    const rounds = 200;
    const shared = { RUNS: runs, ROUNDS: String(rounds) };
    const program = join(packageRoot, 'test', 'support', 'freeze-plans.ts');
    const printed = await Promise.all([
      runTypeScript(program, { ...shared, ME: 'a', OTHER: 'b' }),
      runTypeScript(program, { ...shared, ME: 'b', OTHER: 'a' }),
    ]);
    const processes = printed.map((text) => JSON.parse(text) as Execution[][]);
    const plan = makePlan({ experiment: 'freezing' });
    const wrong: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const path = frozenPlanPath(runs, { ...plan, sweepId: `round-${round}` });
      const disk = (JSON.parse(readFileSync(path, 'utf8')) as Plan).execution;
      const agrees = processes
        .flatMap((one) => one[round] ?? [])
        .every(
          ({ threadsPerRun, kernels = {} }) =>
            threadsPerRun === disk.threadsPerRun &&
            Object.entries(kernels).every(([work, kernel]) => disk.kernels?.[work] === kernel),
        );
      const grown = Object.keys(disk.kernels ?? {}).sort();
      if (!agrees || grown.join() !== 'both,later,only a,only b') wrong.push(round);
    }
    expect(wrong).toEqual([]);
    expect(readdirSync(join(runs, 'freezing', 'sweeps')).filter((name) => !name.endsWith('.json'))).toEqual(
      [],
    );
  },
);

/** A plan with one value changed, as a later version may write it. */
const planWith = (keys: readonly (string | number)[], value: unknown): string => {
  const plan: unknown = JSON.parse(JSON.stringify(makePlan()));
  const last = keys.at(-1) ?? '';
  const holder = keys.slice(0, -1).reduce<unknown>((inner, key) => (inner as Fields)[key], plan) as Fields;
  holder[last] = value;
  return JSON.stringify(plan);
};
type Fields = Record<string | number, unknown>;

test.each([
  ['an empty file', '', 'is not a whole plan'],
  ['half a plan', '{"experiment": "mnist-rows", "runs": [', 'is not a whole plan'],
  ['null', 'null', 'does not hold a JSON object'],
  ['a plan without its execution', planWith(['execution'], undefined), 'has no usable `execution`'],
  ['a damaged run', planWith(['runs', 0], { id: 'x' }), 'has no usable `runs.0.cell`'],
  [
    'an unknown way to batch',
    planWith(['runs', 0, 'config', 'train', 'lastBatch'], 'split'),
    'has no usable `runs.0.config.train.lastBatch`',
  ],
  [
    'an unknown way to stop',
    planWith(['runs', 0, 'config', 'train', 'earlyStopping'], { metric: 'val/loss' }),
    'has no usable `runs.0.config.train.earlyStopping`',
  ],
  ['an unknown reaction', planWith(['execution', 'onError'], 'pause'), 'has no usable `execution.onError`'],
  [
    'an unknown pruning',
    planWith(['search'], { points: 3, lookahead: 4, sampler: null, pruning: { name: 'hyperband' } }),
    'has no usable `search.pruning`',
  ],
])('%s is an error that hides no other sweep and is never written over', async (_what, text, words) => {
  const runs = temporaryDirectory();
  const [plan, other] = [makePlan(), makePlan({ seeds: [1, 2] })];
  writeSweep(runs, other);
  const path = frozenPlanPath(runs, plan);
  writeFileSync(path, text);
  await expect(freezePlan(plan, runs)).rejects.toThrow(RecordUnreadable);
  expect(readFileSync(path, 'utf8')).toBe(text);
  const { sweeps, problems } = listSweeps(runs);
  expect(sweeps.map((one) => one.plan.sweepId)).toEqual([other.sweepId]);
  expect(problems).toMatchObject([
    {
      severity: 'warning',
      message: `${path} ${words}.`,
      help: expect.stringContaining(`rm ${path}`) as string,
    },
  ]);
});

test('a plan that cannot be opened is an error and stays', async () => {
  const runs = temporaryDirectory();
  const plan = makePlan();
  // A folder cannot be read as a file, whoever asks.
  mkdirSync(frozenPlanPath(runs, plan), { recursive: true });
  await expect(freezePlan(plan, runs)).rejects.toThrow('cannot be read: it is a folder');
});
