// Trains 2,000 tiny runs through one pool and prints what its processes hold on the way: node bench/run.mjs soak.ts [runs]
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { childrenOf } from '../test/support/children.ts';
import { packageRoot } from '../src/system/package-root.ts';

const total = Number(process.argv[2] ?? 2000);
/** The first and the last part of the sweep that are compared. */
const part = Math.min(200, Math.floor(total / 4));

const folder = mkdtempSync(join(tmpdir(), 'unroll-soak-'));
writeFileSync(
  join(folder, 'soak.yaml'),
  `version: 1
name: soak
dataset: { name: toy-sequences, trainSize: 64, testSize: 16 }
model: { name: lstm, hiddenSize: 8 }
optimizer: { name: adam }
train: { batchSize: 16, steps: 20, displayEvery: 5, checkpointEvery: 10 }
seeds: ${total}
`,
);

interface Sample {
  readonly done: number;
  readonly seconds: number;
  /** Processor time of the program and its children. */
  readonly cpuSeconds: number;
  readonly programMb: number;
  readonly programFiles: number;
  readonly childMb: number;
  readonly childFiles: number;
}

/** Clock ticks of Linux in a second. */
const ticks = 100;

const heldBy = (pid: number): { readonly mb: number; readonly files: number; readonly cpu: number } => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const cpu = (Number(fields[11]) + Number(fields[12])) / ticks;
    const pages = Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]);
    return { mb: (pages * 4096) / 1e6, files: readdirSync(`/proc/${pid}/fd`).length, cpu };
  } catch {
    return { mb: 0, files: 0, cpu: 0 };
  }
};

const startedAt = performance.now();
const program = spawn(
  process.execPath,
  [join(packageRoot, 'bin', 'unroll.js'), 'run', 'soak.yaml', '--no-mlflow', '--yes', '--quiet'],
  { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] },
);
const ended = once(program, 'close');

/** Runs that have started. */
const doneRuns = (): number => {
  const runs = join(folder, 'runs', 'soak');
  try {
    return readdirSync(runs).filter((name) => name !== 'sweeps' && !name.startsWith('.')).length;
  } catch {
    return 0;
  }
};

const samples: Sample[] = [];
const isRunning = () => program.exitCode === null && program.signalCode === null;
let next = part;
while (isRunning()) {
  await delay(50);
  const done = doneRuns();
  if (done < next) continue;
  const pid = program.pid ?? 0;
  const own = heldBy(pid);
  const children = childrenOf(pid).map(heldBy);
  const largest = (pick: (one: ReturnType<typeof heldBy>) => number) => Math.max(0, ...children.map(pick));
  samples.push({
    done,
    seconds: (performance.now() - startedAt) / 1000,
    cpuSeconds: [own, ...children].reduce((sum, { cpu }) => sum + cpu, 0),
    programMb: own.mb,
    programFiles: own.files,
    childMb: largest(({ mb }) => mb),
    childFiles: largest(({ files }) => files),
  });
  next = done + part;
}
const [code] = (await ended) as [number | null];

console.log(
  `${cpus()[0]?.model.trim() ?? 'unknown'}, ${availableParallelism()} cores, node ${process.version}`,
);
console.log('runs  seconds  cpu seconds  program MB  files  largest child MB  files');
for (const one of samples)
  console.log(
    [
      one.done,
      one.seconds.toFixed(1),
      one.cpuSeconds.toFixed(1),
      one.programMb.toFixed(0),
      one.programFiles,
      one.childMb.toFixed(0),
      one.childFiles,
    ].join('  '),
  );
/** Of one run, between two samples. */
const rate = (key: 'seconds' | 'cpuSeconds', from: Sample | undefined, to: Sample | undefined) =>
  from && to ? (to[key] - from[key]) / (to.done - from.done) : NaN;
console.log(`exit code ${code}; a run of the first and of the last ${part}:`);
for (const key of ['seconds', 'cpuSeconds'] as const) {
  const early = rate(key, samples[0], samples[1]);
  const late = rate(key, samples.at(-2), samples.at(-1));
  console.log(`${key}: ${early.toFixed(4)} and ${late.toFixed(4)}, ratio ${(late / early).toFixed(2)}`);
}
rmSync(folder, { recursive: true });
