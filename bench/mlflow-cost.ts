/**
 * What recording on MLflow costs a training that logs every step: the same recorder, with the uploader sending to a
 * healthy, a slow (2 s a call) and a dead server, against none. Rounds alternate, so that a noisy machine hits all alike.
 *
 *     node scripts/build.mjs && node bench/run.mjs mlflow-cost.ts [rounds] [steps]
 *
 * A step here is a fixed piece of arithmetic, so the ratio is of the recording alone. Prints one line of JSON.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startMlflowServer } from '../src/tracking/mlflow/server/serve.ts';
import { startUploader } from '../src/tracking/mlflow/uploader/start.ts';
import { recordRun } from '../src/tracking/run-recorder.ts';
import { makePlan } from '../test/support/run-directories.ts';

const rounds = Number(process.argv[2] ?? 5);
const steps = Number(process.argv[3] ?? 1000);
const folder = mkdtempSync(join(tmpdir(), 'unroll-bench-'));

const slow = createServer((_request, response) => {
  setTimeout(() => response.writeHead(503).end(), 2000);
});
await new Promise<void>((resolve) => slow.listen(0, '127.0.0.1', resolve));
const healthy = await startMlflowServer({ runsDirectory: join(folder, 'runs'), print: () => undefined });
if (!healthy.ok) throw new Error(healthy.problem.message);

const modes = {
  none: undefined,
  healthy: healthy.value.uri,
  slow: `http://127.0.0.1:${(slow.address() as AddressInfo).port}`,
  dead: 'http://127.0.0.1:9',
} as const;
type Mode = keyof typeof modes;

/** About 10 ms of work that nothing can skip. */
const work = (seed: number): number => {
  let sum = seed;
  for (let i = 1; i < 500_000; i++) sum = (sum * 1.000_000_1 + 1 / i) % 1000;
  return sum;
};

/** Milliseconds of processor time and of wall time that a training with this tracking takes. */
const train = async (mode: Mode, round: number): Promise<{ cpu: number; wall: number }> => {
  const runsDirectory = join(folder, `runs-${mode}-${round}`);
  const plan = makePlan({ experiment: `cost-${mode}-${round}`, steps });
  const [run] = plan.runs;
  if (!run) throw new Error('no run');
  mkdirSync(join(runsDirectory, plan.experiment, 'sweeps'), { recursive: true });
  writeFileSync(join(runsDirectory, plan.experiment, 'sweeps', `${plan.sweepId}.json`), JSON.stringify(plan));
  const recorder = recordRun(join(runsDirectory, plan.experiment, run.id), run, 1);
  const to = modes[mode];
  const uploader =
    to === undefined
      ? undefined
      : startUploader({
          runsDirectory,
          experiment: plan.experiment,
          sweepId: plan.sweepId,
          to,
          print: () => undefined,
        });
  const cpuBefore = process.cpuUsage();
  const began = performance.now();
  for (let step = 1; step <= steps; step++) {
    const loss = work(step);
    recorder.listen({
      type: 'step-logged',
      time: Date.now(),
      step,
      examples: step,
      metrics: { 'train/loss': loss },
    });
    // As a trainer does between steps.
    await new Promise((resolve) => setImmediate(resolve));
  }
  const { user, system } = process.cpuUsage(cpuBefore);
  const wall = performance.now() - began;
  await uploader?.finish(0);
  return { cpu: (user + system) / 1000, wall };
};

const median = (values: readonly number[]) => [...values].sort((a, b) => a - b)[values.length >> 1] ?? NaN;
const taken = new Map<Mode, { cpu: number; wall: number }[]>();
for (let round = 0; round < rounds; round++)
  for (const mode of Object.keys(modes) as Mode[])
    taken.set(mode, [...(taken.get(mode) ?? []), await train(mode, round)]);

// Each round against its own baseline: the machine's speed drifts between rounds.
const base = taken.get('none') ?? [];
const ratio = (mode: Mode, of: 'cpu' | 'wall') =>
  Number(
    median((taken.get(mode) ?? []).map((one, round) => one[of] / (base[round]?.[of] ?? NaN))).toFixed(4),
  );
console.log(
  JSON.stringify({
    rounds,
    steps,
    millisecondsPerStep: Number((median(base.map(({ wall }) => wall)) / steps).toFixed(3)),
    ratios: Object.fromEntries(
      (['healthy', 'slow', 'dead'] as const).map((mode) => [
        mode,
        { wall: ratio(mode, 'wall'), cpu: ratio(mode, 'cpu') },
      ]),
    ),
  }),
);
await healthy.value.stop();
slow.closeAllConnections();
slow.close();
rmSync(folder, { recursive: true, force: true });
