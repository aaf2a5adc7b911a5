/**
 * How fast a backlog of metrics reaches a local MLflow server, and how much memory that takes:
 *
 *     node bench/run.mjs mlflow-throughput.ts [points] [uri]
 *
 * Without an address it starts the pinned server on an empty store. Prints one line of JSON.
 */
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startMlflowServer } from '../src/tracking/mlflow/server/serve.ts';
import { syncCommand } from '../src/tracking/mlflow/sync/sync-command.ts';
import { makePlan, writeSweep } from '../test/support/run-directories.ts';

const points = Number(process.argv[2] ?? 100_000);
const folder = mkdtempSync(join(tmpdir(), 'unroll-bench-'));
const runsDirectory = join(folder, 'runs');

const plan = makePlan({ experiment: `throughput-${Date.now()}`, steps: 10 });
for (const directory of writeSweep(runsDirectory, plan)) {
  const file = openSync(join(directory, 'metrics.jsonl'), 'w');
  for (let step = 1; step <= points / 2; step++) {
    const metrics = { 'train/loss': 2 / step, 'train/accuracy': 1 - 1 / step };
    writeSync(file, `${JSON.stringify({ step, time: 1_790_000_000_000 + step, metrics })}\n`);
  }
  closeSync(file);
}

const server =
  process.argv[3] === undefined
    ? await startMlflowServer({ runsDirectory, print: () => undefined })
    : undefined;
if (server && !server.ok) throw new Error(server.problem.message);
let peak = 0;
const watch = setInterval(() => (peak = Math.max(peak, process.memoryUsage.rss())), 50);
const began = performance.now();
const result = await syncCommand({
  runsDirectory,
  to: process.argv[3] ?? (server?.ok ? server.value.uri : ''),
  print: () => undefined,
});
const seconds = (performance.now() - began) / 1000;
clearInterval(watch);
console.log(
  JSON.stringify({
    points: result.ok ? result.value.points : result.errors,
    seconds: Number(seconds.toFixed(2)),
    pointsPerSecond: Math.round(points / seconds),
    peakMegabytes: Math.round(peak / 1e6),
  }),
);
if (server?.ok) await server.value.stop();
rmSync(folder, { recursive: true, force: true });
