/**
 * The largest memory that a training on a large CSV file takes: writes the file, runs `unroll run` on it twice (the
 * first time packs the file) and adds up the resident memory of its processes every 50 ms. Linux only.
 *
 *     node bench/run.mjs large-csv.ts [--megabytes 1000] [--steps 200] [--keep FOLDER]
 */
import { spawn } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { randomStream } from '../src/data/random.ts';
import { packageRoot } from '../src/system/package-root.ts';

const { values: options } = parseArgs({
  options: {
    megabytes: { type: 'string', default: '1000' },
    steps: { type: 'string', default: '200' },
    keep: { type: 'string' },
  },
});

/** Long layout: sequences of 20 to 49 steps of four numbers, and a label that is the sign of their sum. */
const writeTable = (path: string, bytes: number): void => {
  const random = randomStream(1, 'large-csv');
  const file = openSync(path, 'w');
  writeSync(file, 'id,step,a,b,c,d,label\n');
  for (let id = 0, written = 0; written < bytes; id++) {
    const rows = Array.from({ length: 20 + random.integer(30) }, () =>
      Array.from({ length: 4 }, () => random.normal()),
    );
    const label = rows.flat().reduce((sum, value) => sum + value, 0) > 0 ? 'up' : 'down';
    const text = rows
      .map((row, step) => [id, step, ...row.map((value) => value.toFixed(6)), label].join(',') + '\n')
      .join('');
    written += writeSync(file, text);
  }
  closeSync(file);
};

const spec = (steps: string) => `version: 1
name: large-csv
dataset: { name: csv-sequences, file: large.csv, sequence: id, order: step, targets: [label] }
model: { name: lstm, hiddenSize: 64 }
optimizer: { name: adam, learningRate: 0.001 }
train: { batchSize: 128, steps: ${steps}, displayEvery: 50 }
`;

/** Resident bytes of a process and all that descend from it. */
const residentBytes = (root: number): number => {
  const parents = new Map<number, number>();
  const resident = new Map<number, number>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const status = readFileSync(`/proc/${name}/status`, 'utf8');
      parents.set(Number(name), Number(/^PPid:\s+(\d+)/m.exec(status)?.[1]));
      resident.set(Number(name), 1024 * Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? 0));
    } catch {
      // It ended meanwhile.
    }
  }
  const within = (pid: number | undefined): boolean =>
    pid === root || (pid !== undefined && within(parents.get(pid)));
  return [...resident].reduce((sum, [pid, bytes]) => sum + (within(pid) ? bytes : 0), 0);
};

const run = async (folder: string, extra: readonly string[]): Promise<{ seconds: number; peak: number }> => {
  const started = performance.now();
  const child = spawn(
    process.execPath,
    [join(packageRoot, 'bin', 'unroll.js'), 'run', 'spec.yaml', ...extra],
    {
      cwd: folder,
      stdio: ['ignore', 'inherit', 'inherit'],
    },
  );
  let peak = 0;
  const watch = setInterval(() => {
    if (child.pid !== undefined) peak = Math.max(peak, residentBytes(child.pid));
  }, 50);
  const code = await new Promise((done) => child.once('exit', done));
  clearInterval(watch);
  if (code !== 0) throw new Error(`unroll run ended with ${String(code)}.`);
  return { seconds: (performance.now() - started) / 1000, peak };
};

const folder = options.keep ?? mkdtempSync(join(tmpdir(), 'unroll-large-csv-'));
mkdirSync(folder, { recursive: true });
try {
  const table = join(folder, 'large.csv');
  if (!existsSync(table)) writeTable(table, Number(options.megabytes) * 1e6);
  writeFileSync(join(folder, 'spec.yaml'), spec(options.steps));
  for (const [name, extra] of [
    ['first run, packs the file', []],
    ['second run', ['--force']],
  ] as const) {
    const { seconds, peak } = await run(folder, extra);
    console.log(`${name}: ${seconds.toFixed(1)} s, at most ${(peak / 1e6).toFixed(0)} MB resident`);
  }
} finally {
  if (options.keep === undefined) rmSync(folder, { recursive: true, force: true });
}
