/**
 * What recording on MLflow costs a training that logs every step: the same recorder, with the uploader sending to a
 * healthy, a slow (2 s a call) and a dead server, against none. Every round takes all three in another order, with `none`
 * before and after each of them, so that a machine whose speed drifts hits all alike.
 *
 *     node scripts/build.mjs && node bench/run.mjs mlflow-cost.ts [rounds] [steps]
 *
 * A step here is a fixed piece of work, so the ratio is of the recording alone. Prints one line of JSON: ratios with
 * their quartiles over the rounds, and (on Linux) the seconds of processor time that uploader and server took meanwhile.
 */
import { fork } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startMlflowServer } from '../src/mlflow/server/serve.ts';
import { startUploader } from '../src/mlflow/uploader/start.ts';
import { recordRun } from '../src/record/run-recorder.ts';
import { makePlan } from '../test/support/run-directories.ts';
import { groupSeconds, waitedMs } from './suite/processor-time.ts';
import { median, quartilesOf } from './suite/statistics.ts';

/** Hands on to a server, with every answer two seconds late; sends its address to the parent. */
const serveSlowly = (to: string): void => {
  const slow = createServer((incoming, outgoing) => {
    setTimeout(() => {
      const passed = request(
        `${to}${incoming.url ?? ''}`,
        { method: incoming.method, headers: { ...incoming.headers, host: new URL(to).host } },
        (answer) => answer.pipe(outgoing.writeHead(answer.statusCode ?? 502, answer.headers)),
      );
      passed.on('error', () => outgoing.destroy());
      incoming.pipe(passed);
    }, 2000);
  });
  slow.listen(0, '127.0.0.1', () =>
    process.send?.(`http://127.0.0.1:${(slow.address() as AddressInfo).port}`),
  );
  process.on('disconnect', () => process.exit());
};

const block = Buffer.alloc(64 * 1024, 7);
/** About 10 ms of work; native, because V8 compiles a loop again after some thousand calls, and then it is another one. */
const work = (seed: number): number => {
  const hash = createHash('sha256').update(String(seed));
  for (let i = 0; i < 240; i++) hash.update(block);
  return hash.digest().readUInt32LE() / 2 ** 32;
};

const figures = ['wall', 'cpu', 'waited', 'uploader', 'server'] as const;
/** Of one training: milliseconds, and seconds of the others' processor time. */
type Figures = Record<(typeof figures)[number], number>;

const main = async (): Promise<void> => {
  const rounds = Number(process.argv[2] ?? 5);
  const steps = Number(process.argv[3] ?? 1000);
  const folder = mkdtempSync(join(tmpdir(), 'unroll-bench-'));

  const healthy = await startMlflowServer({ runsDirectory: join(folder, 'runs'), print: () => undefined });
  if (!healthy.ok) throw new Error(healthy.errors[0].message);
  const { pid: serverPid } = JSON.parse(readFileSync(join(folder, 'mlflow', 'server.json'), 'utf8')) as {
    pid: number;
  };
  // In a process of its own: what it does is no cost of the training.
  const proxy = fork(process.argv[1] ?? '', ['--slow', healthy.value.uri]);
  const slow = await new Promise<string>((resolve) => proxy.once('message', resolve));

  const modes = { none: undefined, healthy: healthy.value.uri, slow, dead: 'http://127.0.0.1:9' } as const;
  type Mode = keyof typeof modes;

  let trainings = 0;
  const train = async (mode: Mode): Promise<Figures> => {
    const experiment = `cost-${mode}-${trainings++}`;
    const runsDirectory = join(folder, experiment);
    const plan = makePlan({ experiment, steps });
    const [run] = plan.runs;
    if (!run) throw new Error('no run');
    mkdirSync(join(runsDirectory, plan.experiment, 'sweeps'), { recursive: true });
    writeFileSync(
      join(runsDirectory, plan.experiment, 'sweeps', `${plan.sweepId}.json`),
      JSON.stringify(plan),
    );
    const recorder = recordRun(join(runsDirectory, plan.experiment, run.id), run, 1);
    const to = modes[mode];
    const serverBefore = groupSeconds(serverPid);
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
    const waitedBefore = waitedMs();
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
    const wall = performance.now() - began;
    const { user, system } = process.cpuUsage(cpuBefore);
    const found: Figures = {
      wall,
      cpu: (user + system) / 1000,
      waited: waitedMs() - waitedBefore,
      uploader: uploader?.pid === undefined ? 0 : groupSeconds(uploader.pid),
      server: groupSeconds(serverPid) - serverBefore,
    };
    await uploader?.finish({ drainMs: 0 });
    // What the server still has to do for this training must not fall upon the next one.
    await sleep(500);
    return found;
  };

  const tracked = ['healthy', 'slow', 'dead'] as const;
  const pairs: { readonly mode: (typeof tracked)[number]; readonly none: Figures; readonly one: Figures }[] =
    [];
  // Once for nothing: the first training compiles what the others find compiled.
  let before = await train('none');
  before = await train('none');
  for (let round = 0; round < rounds; round++)
    for (const mode of [...tracked.slice(round % 3), ...tracked.slice(0, round % 3)]) {
      const one = await train(mode);
      const after = await train('none');
      const none = Object.fromEntries(
        figures.map((figure) => [figure, (before[figure] + after[figure]) / 2]),
      ) as Figures;
      pairs.push({ mode, none, one });
      before = after;
    }

  const of = (mode: (typeof tracked)[number], value: (pair: (typeof pairs)[number]) => number) =>
    quartilesOf(pairs.filter((pair) => pair.mode === mode).map(value));
  console.log(
    JSON.stringify({
      rounds,
      steps,
      millisecondsPerStep: Number((median(pairs.map(({ none }) => none.wall)) / steps).toFixed(3)),
      ratios: Object.fromEntries(
        tracked.map((mode) => [
          mode,
          {
            wall: of(mode, ({ one, none }) => one.wall / none.wall),
            cpu: of(mode, ({ one, none }) => one.cpu / none.cpu),
            // Ready to go on, but another process had the core.
            waited: of(mode, ({ one, none }) => (one.waited - none.waited) / none.wall),
            uploaderSeconds: of(mode, ({ one }) => one.uploader),
            serverSeconds: of(mode, ({ one, none }) => Math.round(1000 * (one.server - none.server)) / 1000),
          },
        ]),
      ),
    }),
  );
  await healthy.value.stop();
  proxy.disconnect();
  rmSync(folder, { recursive: true, force: true });
};

if (process.argv[2] === '--slow') serveSlowly(process.argv[3] ?? '');
else await main();
