import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'vitest';
import { packageRoot } from '../../src/system/package-root.ts';
import { callAtEach, oneFor } from './cases.ts';
import {
  type Ended,
  judge,
  newFolder,
  removeFolder,
  runWithFault,
  runWords,
  startUnroll,
  stoppedIn,
  tryAll,
  undisturbedSweep,
  unfit,
  unlessEnded,
} from './harness.ts';

/** Faults of the machine around a sweep: a full file system, limits of its processes, jumps of the clock, lost folders. */
const { shim, calm } = undisturbedSweep();

const isCalm = ({ code, output }: Ended): string[] =>
  code === 0 ? [] : [`the sweep ended with ${code}, although nothing prevents it: ${output}`];

const mounted = (folder: string, options: string): boolean =>
  spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', folder]).status === 0;

/** Whether this process may mount file systems. */
const mayMount = ((): boolean => {
  const folder = newFolder();
  const may = mounted(folder, 'size=4k');
  if (may) spawnSync('umount', [folder]);
  else console.log('Tests with a small tmpfs are skipped: only root may mount one.');
  removeFolder(folder);
  return may;
})();

/** Kilobytes and files of which a whole sweep needs about twice the largest. */
const sizes = Array.from({ length: 60 }, (_, index) => ({ kilobytes: 4 * (index + 1), files: 10_000 }));
const counts = Array.from({ length: 40 }, (_, index) => ({ kilobytes: 10_000, files: index + 2 }));

test.skipIf(!mayMount)('a file system that becomes full at any moment loses nothing', () =>
  tryAll(
    [...sizes, ...counts],
    20,
    ({ kilobytes, files }) => `a tmpfs of ${kilobytes} kB and ${files} files`,
    async ({ kilobytes, files }, folder) => {
      const runs = join(folder, 'runs');
      mkdirSync(runs);
      mounted(runs, `size=${kilobytes}k,nr_inodes=${files}`);
      try {
        const disturbed = await startUnroll(folder, runWords).ended;
        spawnSync('mount', ['-o', 'remount,size=64m,nr_inodes=10000', runs]);
        return await judge(folder, disturbed, calm().numbers);
      } finally {
        spawnSync('umount', ['-l', runs]);
      }
    },
  ),
);

const csv = [
  'id,time,x,label',
  ...Array.from({ length: 40 }, (_, row) => `${row >> 2},${row & 3},1,${row & 4}`),
];

const dataSpec = `version: 1
name: data
dataset: { name: csv-sequences, file: data.csv, sequence: id, order: time, targets: [label] }
model: { name: gru, hiddenSize: 4 }
optimizer: { name: adam }
train: { batchSize: 2, steps: 2 }
`;

/** A copy of the runs of the undisturbed sweep. */
const ofCalm = ['--runs-directory', 'calm'];

/** Commands that write elsewhere than into runs, and files of theirs that must not be left half written. */
const writers: readonly { readonly words: readonly string[]; readonly files: readonly string[] }[] = [
  { words: ['init', 'full/new.yaml', '--defaults'], files: ['full/new.yaml'] },
  { words: ['validate', 'data.yaml'], files: [] },
  { words: ['validate', 'own/spec.yaml'], files: [] },
  { words: ['trust', 'https://mlflow.example.com'], files: [] },
  {
    words: ['report', '--output', 'full/report.html', ...ofCalm],
    files: ['full/report.html'],
  },
  {
    words: ['predict', 'best:trial', '--input', 'inputs.jsonl', '--output', 'full/p.parquet', ...ofCalm],
    files: ['full/p.parquet'],
  },
  {
    words: ['export', 'best:trial', '--format', 'onnx', '--output', 'full/exported', ...ofCalm],
    files: ['full/exported/model.onnx'],
  },
  { words: ['bundle', 'best:trial', '--output', 'full/run.zip', ...ofCalm], files: ['full/run.zip'] },
];

test.skipIf(!mayMount)(
  'a full disk under a cache, a new spec or a config is one message, and leaves nothing',
  () =>
    tryAll(
      writers,
      8,
      ({ words }) => words.join(' '),
      async ({ words, files }, folder) => {
        const full = join(folder, 'full');
        mkdirSync(full);
        mkdirSync(join(folder, 'own'));
        writeFileSync(join(folder, 'data.csv'), csv.join('\n'));
        writeFileSync(join(folder, 'data.yaml'), dataSpec);
        writeFileSync(join(folder, 'inputs.jsonl'), '{"inputs":[1,0,1]}\n');
        writeFileSync(join(folder, 'own', 'unroll.config.mjs'), 'export default {};\n');
        cpSync(join(folder, 'spec.yaml'), join(folder, 'own', 'spec.yaml'));
        cpSync(join(calm().folder, 'runs'), join(folder, 'calm'), { recursive: true });
        const environment = { UNROLL_CACHE: join(full, 'cache'), XDG_CONFIG_HOME: join(full, 'config') };
        mounted(full, 'size=64k');
        try {
          writeFileSync(join(full, 'filler'), Buffer.alloc(64 * 1024));
          const refused = await startUnroll(folder, words, environment).ended;
          const left = files.filter((name) => existsSync(join(folder, name)));
          spawnSync('mount', ['-o', 'remount,size=64m', full]);
          const next = await startUnroll(folder, words, environment).ended;
          return [
            ...(refused.code === 1 && /no space left on the disk/.test(refused.output)
              ? []
              : [`ended with ${refused.code}: ${refused.output}`]),
            ...(unfit.test(refused.output) ? [`printed: ${refused.output}`] : []),
            ...(left.length > 0 ? [`left ${left.join(', ')}`] : []),
            ...(next.code === 0 ? [] : [`the next one ended with ${next.code}: ${next.output}`]),
          ];
        } finally {
          spawnSync('umount', ['-l', full]);
        }
      },
    ),
);

/** Whether the program can start under a limit. Below that, Node.js itself aborts. */
const canStart = (limit: string): boolean =>
  spawnSync('sh', [
    '-c',
    `ulimit ${limit} && exec "$@"`,
    'sh',
    process.execPath,
    join(packageRoot, 'bin', 'unroll.js'),
    '--version',
  ]).status === 0;

/** The smallest limit under which the program can start, in steps. */
const leastOf = (option: string, step: number): number => {
  for (let limit = step; ; limit += step) if (canStart(`${option} ${limit}`)) return limit;
};

/** Where Node.js has too little to go on it aborts, which is a kill for the program. */
const unlessAborted = (ended: Ended): Ended =>
  ended.signal === 'SIGABRT' || ended.signal === 'SIGTRAP' || ended.signal === 'SIGSEGV'
    ? { code: null, signal: 'SIGKILL', output: '' }
    : ended;

const limitsFrom = (option: string, step: number, count: number): string[] => {
  const least = leastOf(option, step);
  return Array.from({ length: count }, (_, index) => `${option} ${least + step * index}`);
};

test.runIf(process.platform === 'linux')('too few descriptors or too little memory lose nothing', () => {
  const all = [...limitsFrom('-n', 4, 12), ...limitsFrom('-v', 100_000, 16)];
  return tryAll(
    all,
    14,
    (limit) => `ulimit ${limit}`,
    async (limit, folder) =>
      judge(folder, unlessAborted(await startUnroll(folder, runWords, {}, limit).ended), calm().numbers),
  );
});

const hour = 3600;

describe.skipIf(shim === undefined)('with gcc, which compiles what shifts clocks and stops processes', () => {
  test('a clock that is set forward or back at any moment changes no number', () => {
    const shifts = [-30 * 24 * hour, -5 * hour, 7 * hour, 400 * 24 * hour];
    const all = callAtEach(calm().calls, 'clock').map((call) => ({
      call,
      shift: oneFor(`shift ${call.place}`, shifts),
    }));
    return tryAll(
      all,
      20,
      ({ call, shift }) => `${call.place}: the clock set by ${shift} s`,
      async ({ call, shift }, folder) => {
        const fault = { at: call.number, kind: call.kind, action: 'clock', shift } as const;
        const disturbed = await runWithFault(shim ?? '', folder, fault).ended;
        return [...isCalm(disturbed), ...(await judge(folder, disturbed, calm().numbers))];
      },
    );
  });

  const places = ['runs', 'the experiment', 'its plans', 'a run', 'all runs'] as const;

  /** Folders to remove, of those that are there. */
  const targets = (place: (typeof places)[number], folder: string): string[] => {
    const experiment = join(folder, 'runs', 'trial');
    const runs = Object.keys(calm().numbers).map((id) => join(experiment, id));
    switch (place) {
      case 'runs':
        return [join(folder, 'runs')];
      case 'the experiment':
        return [experiment];
      case 'its plans':
        return [join(experiment, 'sweeps')];
      case 'a run':
        return runs.slice(0, 1);
      case 'all runs':
        return runs;
    }
  };

  test('a folder that is removed at any moment stops nothing but what needs it', () => {
    const all = callAtEach(calm().calls, 'removal').map((call) => ({
      call,
      place: oneFor(`removed ${call.place}`, places),
    }));
    return tryAll(
      all,
      25,
      ({ call, place }) => `${call.place}: ${place} removed`,
      async ({ call, place }, folder) => {
        const started = runWithFault(shim ?? '', folder, {
          at: call.number,
          kind: call.kind,
          action: 'stop',
        });
        const stopped = await unlessEnded(started, () => stoppedIn(folder));
        for (const path of targets(place, folder)) removeWhileWritten(path);
        if (stopped !== undefined) process.kill(stopped, 'SIGCONT');
        return judge(folder, await started.ended, calm().numbers, { mayLack: true });
      },
    );
  });
});

/** Removes a folder in which another process may be making files. */
const removeWhileWritten = (path: string): void =>
  rmSync(path, { recursive: true, force: true, maxRetries: 20 });
