import { existsSync, readFileSync, statSync } from 'node:fs';
import { expect, test } from 'vitest';
import { randomStream } from '../../src/data/random.ts';
import { childrenOf } from '../support/children.ts';
import { createRig, type Rig, type Started, until } from '../support/rig.ts';
import { testSeed } from '../support/seed.ts';
import { smallSpec } from '../support/small-sweep.ts';

/**
 * A sweep of 24 runs whose processes are killed at moments drawn from the seed of the tests: children and the program
 * itself in turn. `npm run test:kill` kills 50 times; UNROLL_KILLS and UNROLL_TEST_SEED choose otherwise.
 */
const kills = Number(process.env['UNROLL_KILLS'] ?? 10);

/** Of each run. */
const steps = 80 + 4 * kills;

const spec = smallSpec({
  steps,
  hiddenSizes: [4, 8, 12],
  seeds: 4,
  dataset: 'validationSize: 40',
  train: 'checkpointEvery: 20, evaluateEvery: 50',
  run: 'concurrency: 2, threadsPerRun: 1',
}).replace('sweep: { axes: {', 'sweep: { axes: { optimizer.learningRate: [0.005, 0.01],');

const metricsOfAll = (rig: Rig) =>
  Object.fromEntries(rig.runIds('trial').map((id) => [id, rig.metrics('trial', id)]));

/** How many bytes of metrics are recorded: what the sweep has come to, whatever else the machine does. */
const progress = (rig: Rig): number =>
  rig
    .runIds('trial')
    .map((id) => statSync(rig.runPath('trial', id, 'metrics.jsonl'), { throwIfNoEntry: false })?.size ?? 0)
    .reduce((sum, size) => sum + size, 0);

/** About the bytes of a step's line. */
const lineBytes = 110;

/** What a program that has just been started comes to, one after the other. */
const beginnings: readonly ((rig: Rig) => boolean)[] = [
  () => true,
  (rig) => existsSync(rig.runPath('trial', 'sweeps')),
  (rig) => rig.runIds('trial').some((id) => existsSync(rig.runPath('trial', id, 'writer'))),
  (rig) => rig.runIds('trial').some((id) => existsSync(rig.runPath('trial', id, 'status.json'))),
];

/** Most moments are so many steps further on; every fourth is near the start of a process. No moment depends on a clock. */
const drawMoment = (rig: Rig, draw: ReturnType<typeof randomStream>): (() => boolean) => {
  const beginning = beginnings[draw.integer(beginnings.length)] ?? (() => true);
  const atProgress = progress(rig) + draw.integer(((24 * steps) / kills) * lineBytes);
  return draw.integer(4) === 0 ? () => beginning(rig) : () => progress(rig) >= atProgress;
};

/** Waits for a moment and kills; false where the program ended before. */
const killOnce = async (
  { rig, started, draw }: { rig: Rig; started: Started; draw: ReturnType<typeof randomStream> },
  victim: 'child' | 'program',
): Promise<boolean> => {
  const state = { ended: false };
  void started.finished.then(() => (state.ended = true));
  const due = drawMoment(rig, draw);
  const which = draw.integer(1000);
  const pid = started.process.pid ?? 0;
  const killed = await until(() => {
    if (state.ended) return 'ended';
    const found = victim === 'program' ? [pid] : childrenOf(pid);
    if (!due() || found.length === 0) return undefined;
    try {
      process.kill(found[which % found.length] ?? 0, 'SIGKILL');
      return 'killed';
    } catch {
      // It ended by itself in this very moment.
      return undefined;
    }
  });
  return killed === 'killed';
};

test.runIf(process.platform === 'linux')(
  `a sweep that is killed ${kills} times ends complete, bit for bit, every run trained once`,
  { timeout: 300_000 + kills * 60_000 },
  async () => {
    console.log(`killing ${kills} times with UNROLL_TEST_SEED=${testSeed}`);
    const draw = randomStream(testSeed, 'kills');
    const calm = createRig();
    const disturbed = createRig();
    for (const rig of [calm, disturbed]) rig.write('spec.yaml', spec);
    expect((await calm.unroll('run', 'spec.yaml', '--quiet')).code).toBe(0);

    let made = 0;
    let starts = 0;
    let started: Started | undefined;
    while (made < kills) {
      if (starts > kills * 4)
        throw new Error(`only ${made} kills in ${starts} starts: the sweep is too short`);
      if (!started || started.process.exitCode !== null || started.process.signalCode !== null) {
        started = disturbed.start('run', 'spec.yaml', '--quiet');
        starts++;
      }
      const victim = made % 2 === 0 ? 'child' : 'program';
      if (await killOnce({ rig: disturbed, started, draw }, victim)) made++;
      if (victim === 'program') await started.finished;
    }
    await started?.finished;
    for (let tries = 0; (await disturbed.unroll('run', 'spec.yaml', '--quiet')).code !== 0; tries++) {
      if (tries > 3) throw new Error('the sweep did not end complete');
    }

    const ids = disturbed.runIds('trial');
    expect(ids).toHaveLength(24);
    expect(metricsOfAll(disturbed)).toEqual(metricsOfAll(calm));
    for (const id of ids) {
      const recorded = disturbed.metrics('trial', id).filter(({ metrics }) => 'train/loss' in metrics);
      expect(recorded.map(({ step }) => step)).toEqual(Array.from({ length: steps }, (_, i) => i + 1));
      const log = readFileSync(disturbed.runPath('trial', id, 'log.txt'), 'utf8');
      expect(log).not.toContain('recorded before');
      expect(log.match(/^ended: completed/gm)).toHaveLength(1);
    }
    const attempts = ids.map((id) => disturbed.status('trial', id).attempt);
    console.log(`${starts} starts; attempts of the runs: ${attempts.join(' ')}`);
    await disturbed.unroll('run', 'spec.yaml', '--quiet');
    expect(ids.map((id) => disturbed.status('trial', id).attempt)).toEqual(attempts);
  },
);
