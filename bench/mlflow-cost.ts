/**
 * What recording on MLflow costs a training that logs every step: the same recorder, with the uploader sending to a
 * healthy, a slow (2 s a call) and a dead server, against none. Every round takes all four in another order, with `none`
 * before and after each of the others, so that a machine whose speed drifts hits all alike.
 *
 *     node scripts/build.mjs && node bench/run.mjs mlflow-cost.ts [rounds] [steps]
 *
 * A step here is a fixed piece of arithmetic, so the ratio is of the recording alone. Prints one line of JSON.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, request } from 'node:http';
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

const healthy = await startMlflowServer({ runsDirectory: join(folder, 'runs'), print: () => undefined });
if (!healthy.ok) throw new Error(healthy.problem.message);

/** The healthy server, with every answer two seconds late. */
const slow = createServer((incoming, outgoing) => {
  setTimeout(() => {
    const passed = request(
      `${healthy.value.uri}${incoming.url ?? ''}`,
      { method: incoming.method, headers: { ...incoming.headers, host: new URL(healthy.value.uri).host } },
      (answer) => answer.pipe(outgoing.writeHead(answer.statusCode ?? 502, answer.headers)),
    );
    passed.on('error', () => outgoing.destroy());
    incoming.pipe(passed);
  }, 2000);
});
await new Promise<void>((resolve) => slow.listen(0, '127.0.0.1', resolve));

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

let trainings = 0;
/** Milliseconds of processor time and of wall time that a training with this tracking takes. */
const train = async (mode: Mode): Promise<{ cpu: number; wall: number }> => {
  const experiment = `cost-${mode}-${trainings++}`;
  const runsDirectory = join(folder, experiment);
  const plan = makePlan({ experiment, steps });
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
const tracked = ['healthy', 'slow', 'dead'] as const;
interface Pair {
  readonly none: number;
  readonly tracked: number;
}
const pairs = new Map<(typeof tracked)[number], { cpu: Pair[]; wall: Pair[] }>(
  tracked.map((mode) => [mode, { cpu: [], wall: [] }]),
);
// Once for nothing: the first training compiles what the others find compiled.
let before = await train('none');
before = await train('none');
for (let round = 0; round < rounds; round++)
  for (const mode of [...tracked.slice(round % 3), ...tracked.slice(0, round % 3)]) {
    const one = await train(mode);
    const after = await train('none');
    for (const of of ['cpu', 'wall'] as const)
      pairs.get(mode)?.[of].push({ none: (before[of] + after[of]) / 2, tracked: one[of] });
    before = after;
  }

const base = [...pairs.values()].flatMap(({ wall }) => wall.map(({ none }) => none));
const ratio = (mode: (typeof tracked)[number], of: 'cpu' | 'wall') =>
  Number(median((pairs.get(mode)?.[of] ?? []).map(({ none, tracked: one }) => one / none)).toFixed(4));
console.log(
  JSON.stringify({
    rounds,
    steps,
    millisecondsPerStep: Number((median(base) / steps).toFixed(3)),
    ratios: Object.fromEntries(
      tracked.map((mode) => [mode, { wall: ratio(mode, 'wall'), cpu: ratio(mode, 'cpu') }]),
    ),
  }),
);
await healthy.value.stop();
slow.closeAllConnections();
slow.close();
rmSync(folder, { recursive: true, force: true });
