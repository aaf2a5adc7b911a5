/**
 * How fast a backlog of metrics reaches a local MLflow server, and how much memory that takes:
 *
 *     node bench/run.mjs mlflow-throughput.ts [points] [uri]
 *
 * Without an address it starts the pinned server on an empty store. Prints one line of JSON. `pointsPerCpuSecond` is by
 * the processor time of client and server together (Linux, own server): what a busy machine leaves of the truth.
 */
import { closeSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startMlflowServer } from '../src/mlflow/server/serve.ts';
import { syncRecorded } from '../src/mlflow/sync/sync-recorded.ts';
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
if (server && !server.ok) throw new Error(server.errors[0].message);

/** Seconds of processor time of the server's process group; clock ticks are a hundredth of a second on Linux. */
const serverSeconds = (): number => {
  try {
    const { pid } = JSON.parse(readFileSync(join(folder, 'mlflow', 'server.json'), 'utf8')) as {
      pid: number;
    };
    return (
      readdirSync('/proc')
        .filter((name) => /^\d+$/.test(name))
        .map((name) => {
          try {
            // After the name in parentheses: state, ppid, pgrp, ...; user and system time are fields 14 and 15.
            return readFileSync(`/proc/${name}/stat`, 'utf8')
              .replace(/^.*\) /s, '')
              .split(' ');
          } catch {
            return [];
          }
        })
        .reduce(
          (sum, fields) => sum + (Number(fields[2]) === pid ? Number(fields[11]) + Number(fields[12]) : 0),
          0,
        ) / 100
    );
  } catch {
    return NaN;
  }
};
const clientSeconds = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
};

let peak = 0;
const watch = setInterval(() => (peak = Math.max(peak, process.memoryUsage.rss())), 50);
const [clientBefore, serverBefore] = [clientSeconds(), serverSeconds()];
const began = performance.now();
const result = await syncRecorded({
  runsDirectory,
  to: process.argv[3] ?? (server?.ok ? server.value.uri : ''),
  print: () => undefined,
});
const seconds = (performance.now() - began) / 1000;
clearInterval(watch);
const cpu = { client: clientSeconds() - clientBefore, server: serverSeconds() - serverBefore };
console.log(
  JSON.stringify({
    points: result.ok ? result.value.points : result.errors,
    seconds: Number(seconds.toFixed(2)),
    pointsPerSecond: Math.round(points / seconds),
    cpuSeconds: { client: Number(cpu.client.toFixed(2)), server: Number(cpu.server.toFixed(2)) },
    pointsPerCpuSecond: Math.round(points / (cpu.client + cpu.server)),
    peakMegabytes: Math.round(peak / 1e6),
  }),
);
if (server?.ok) await server.value.stop();
rmSync(folder, { recursive: true, force: true });
