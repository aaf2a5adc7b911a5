// How long `plan`, `ls` and `compare` take with 10,000 finished runs on disk: node bench/run.mjs many-runs.ts [runs]
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packageRoot } from '../src/system/package-root.ts';
import { writeFinishedSweep } from './finished-sweep.ts';

const count = Number(process.argv[2] ?? 10_000);
const repetitions = 5;
const folder = mkdtempSync(join(tmpdir(), 'unroll-many-runs-'));
const unroll = join(packageRoot, 'bin', 'unroll.js');

/** Wall-clock and processor time of a command, in seconds; the fastest of several, since others share the machine. */
const measure = (words: readonly string[], before: () => void = () => undefined) => {
  const times = Array.from({ length: repetitions }, () => {
    before();
    const began = performance.now();
    const { status, stderr } = spawnSync(
      '/usr/bin/env',
      ['bash', '-c', 'TIMEFORMAT="%U %S"; time "$@" > out.txt', '-', process.execPath, unroll, ...words],
      { cwd: folder, encoding: 'utf8', env: { ...process.env, NO_COLOR: '1' } },
    );
    if (status !== 0) throw new Error(`unroll ${words.join(' ')} ended with ${String(status)}:\n${stderr}`);
    const [user = 0, system = 0] = (stderr.trim().split('\n').at(-1) ?? '').split(' ').map(Number);
    return { wall: (performance.now() - began) / 1000, cpu: user + system };
  });
  const least = (key: 'wall' | 'cpu') => Math.min(...times.map((one) => one[key])).toFixed(2);
  console.log(`unroll ${words.join(' ').padEnd(24)} ${least('wall')} s, ${least('cpu')} s of processor time`);
};

try {
  const { runs } = await writeFinishedSweep(folder, {
    learningRates: Math.ceil(count / 10),
    hiddenSizes: [8],
    seeds: 10,
    detail: false,
  });
  console.log(`${runs.length} finished runs, node ${process.version}`);
  const noIndex = () => rmSync(join(folder, 'runs', 'many', '.index'), { force: true });
  measure(['--version']);
  for (const words of [['plan', 'spec.yaml'], ['ls'], ['compare']]) measure(words);
  console.log('the index deleted before each:');
  for (const words of [['plan', 'spec.yaml'], ['ls'], ['compare']]) measure(words, noIndex);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
