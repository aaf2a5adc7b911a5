import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { runCommand } from '../../src/system/command.ts';
import { packageRoot } from '../../src/system/package-root.ts';
import { asOrdinaryUser, mayLackRights } from '../support/ordinary-user.ts';
import { smallSpec } from '../support/small-sweep.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const id = 'de33ab8a421e';
const run = `runs/csv/${id}`;
const dataset = 'dataset: { name: csv-sequences, file: data/data.csv, sequence: id, targets: [label] }';

/** A folder with recorded runs, specs, data, a config, and places to write to. */
const home = (): string => {
  const folder = temporaryDirectory('rights');
  cpSync('test/fixtures/recorded-by-0.1.0/runs', join(folder, 'runs'), { recursive: true });
  cpSync('test/fixtures/recorded-by-0.1.0/sensors.csv', join(folder, 'sensors.csv'));
  for (const name of ['data', 'own', 'out', 'cache', 'store', 'config', 'work'])
    mkdirSync(join(folder, name));
  const spec = smallSpec({ steps: 2 });
  const rows = Array.from({ length: 40 }, (_, at) => `${at >> 2},1,${at & 4}`);
  const files = {
    'spec.yaml': spec,
    'data.yaml': spec.replace(/dataset: .*/, dataset),
    'pattern.yaml': spec.replace(/dataset: .*/, dataset.replace('data.csv', '*.csv')),
    'data/data.csv': `id,x,label\n${rows.join('\n')}\n`,
    'inputs.csv': 'x\n1\n',
    'own/unroll.config.mjs': "import './more.mjs';\nexport default {};\n",
    'own/more.mjs': '',
    'own/spec.yaml': spec,
    'bundle.zip': '',
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return folder;
};

const server = ['--to', 'http://127.0.0.1:1'];

/** What may not be read (0) or written (0o500), and the commands that need it. */
const cases: readonly (readonly [place: string, mode: number, commands: readonly (readonly string[])[]])[] = [
  [
    'runs',
    0,
    [['ls'], ['show', id], ['check'], ['rm', id], ['resume'], ['run', 'spec.yaml'], ['sync', ...server]],
  ],
  ['runs/csv', 0, [['ls'], ['compare', 'csv'], ['report', 'csv'], ['check'], ['rm', 'csv']]],
  [
    'runs/csv/sweeps',
    0,
    [
      ['compare', 'csv'],
      ['resume', 'csv'],
      ['show', 'best:csv'],
      ['check'],
      ['ls'],
      ['prune', 'failed'],
      ['push', '--store', 'store'],
      ['bundle', id, '--output', 'out/b.zip', '--spec-directory', '.'],
      ['verify', id, '--steps', '1', '--spec-directory', '.'],
      ['attach', 'csv'],
      ['cancel', 'csv'],
    ],
  ],
  [run, 0, [['ls'], ['show', id], ['check'], ['predict', id, '--input', 'inputs.csv'], ['verify', id]]],
  [`${run}/run.json`, 0, [['ls'], ['show', id], ['bundle', id], ['register', id, '--name', 'a', ...server]]],
  [`${run}/metrics.jsonl`, 0, [['show', id], ['check'], ['push', '--store', 'store']]],
  [
    `${run}/model`,
    0,
    [
      ['predict', id, '--input', 'inputs.csv'],
      ['export', id, '--format', 'safetensors', '--output', 'out/x'],
      ['serve', id, '--port', '0'],
    ],
  ],
  ['bundle.zip', 0, [['verify', 'bundle.zip']]],
  ['runs', 0o500, [['run', 'spec.yaml', '--no-mlflow']]],
  [
    'runs/csv',
    0o500,
    [
      ['rm', id, '--yes'],
      ['report', 'csv'],
    ],
  ],
  [
    'out',
    0o500,
    [
      ['report', 'csv', '--output', 'out/r.html'],
      ['bundle', id, '--output', 'out/b.zip', '--spec-directory', '.'],
      ['init', 'out/new.yaml', '--defaults'],
      ['compare', 'csv', '--parquet', 'out/c.parquet'],
    ],
  ],
  [
    'data',
    0,
    [
      ['validate', 'data.yaml'],
      ['validate', 'pattern.yaml'],
    ],
  ],
  ['data/data.csv', 0, [['validate', 'data.yaml']]],
  ['spec.yaml', 0, [['validate', 'spec.yaml']]],
  ['own/unroll.config.mjs', 0, [['validate', 'own/spec.yaml']]],
  ['own/more.mjs', 0, [['validate', 'own/spec.yaml']]],
  ['cache', 0o500, [['validate', 'own/spec.yaml']]],
  [
    'config',
    0,
    [
      ['validate', 'spec.yaml'],
      ['trust', 'https://mlflow.example.com'],
    ],
  ],
  [
    'store',
    0,
    [
      ['push', '--store', 'store'],
      ['pull', '--store', 'store'],
      ['worker', '--store', 'store'],
    ],
  ],
  ['work', 0, [['worker']]],
  ['work', 0o500, [['worker']]],
];

/** Calls a command in a folder as a user who has no rights beyond those of its files. */
const unrollIn = (folder: string, words: readonly string[]) => {
  const [program, ...first] = [...asOrdinaryUser, process.execPath];
  const file = join(packageRoot, 'bin', 'unroll.js');
  return runCommand(program, [...first, file, ...words], {
    cwd: folder,
    timeoutMs: 240_000,
    env: {
      ...process.env,
      NO_COLOR: '1',
      MLFLOW_TRACKING_URI: undefined,
      UNROLL_CACHE: words.includes('own/spec.yaml') ? join(folder, 'cache') : process.env['UNROLL_CACHE'],
      XDG_CONFIG_HOME: join(folder, 'config'),
      UNROLL_WORKER_DIR: join(folder, 'work', 'runs'),
    },
  });
};

test.skipIf(!mayLackRights).each(cases)(
  'without rights to %s (mode %i): one message with the path, the reason and what to do',
  async (place, mode, commands) => {
    for (const words of commands) {
      const folder = home();
      chmodSync(join(folder, place), mode);
      onTestFinished(() => chmodSync(join(folder, place), 0o700));
      const { code, output } = await unrollIn(folder, words);
      const context = `unroll ${words.join(' ')} (exit code ${code ?? ''}):\n${output}`;
      expect([0, 1, 2], context).toContain(code);
      expect(output, context).toMatch(/permission/);
      expect(output, context).toContain(place);
      expect(output, context).toMatch(/help: |Change its owner or permissions|chmod/);
      expect(output, context).not.toMatch(/\.holder-|\.tmp\b/);
      expect(output, context).not.toMatch(/This is a bug|unexpected error|^ +at .*:\d+:\d+|EACCES: /m);
      expect(output.match(/\berror \[/g)?.length ?? 0, context).toBeLessThan(2);
      for (const name of ['out', 'store'])
        if (mode === 0o500 && name === place && existsSync(join(folder, name)))
          expect(readdirSync(join(folder, name)), context).toEqual([]);
    }
  },
  240_000,
);

test.skipIf(!mayLackRights)('what a failed command cannot remove does not hide why it failed', async () => {
  const folder = home();
  const pushed = await unrollIn(folder, ['push', '--store', 'store']);
  expect(pushed.code, pushed.output).toBe(0);
  chmodSync(join(folder, 'out'), 0);
  onTestFinished(() => chmodSync(join(folder, 'out'), 0o700));
  const { code, output } = await unrollIn(folder, ['pull', '--store', 'store', '--runs-directory', 'out']);
  expect(code, output).toBe(1);
  expect(output).toMatch(/Cannot (?:write|create) (?:the folder )?out\/csv.*: permission is denied/);
  expect(output).not.toMatch(/Cannot delete|\.tmp/);
});

test.skipIf(!mayLackRights)(
  'a run that cannot be pulled names the folder that may not be written',
  async () => {
    const folder = home();
    const pushed = await unrollIn(folder, ['push', '--store', 'store']);
    expect(pushed.code, pushed.output).toBe(0);
    rmSync(join(folder, run), { recursive: true });
    chmodSync(join(folder, 'runs/csv'), 0o500);
    onTestFinished(() => chmodSync(join(folder, 'runs/csv'), 0o700));
    const { code, output } = await unrollIn(folder, ['pull', '--store', 'store']);
    expect(code, output).toBe(1);
    expect(output).toMatch(/Cannot (?:write|create) (?:the folder )?runs\/csv\b.*: permission is denied/);
    expect(output).not.toMatch(/\.holder-|\.tmp\b/);
  },
);

test.skipIf(!mayLackRights)('a bundle is not written without the plan of its run', async () => {
  const folder = home();
  const words = ['bundle', id, '--output', 'out/b.zip', '--spec-directory', '.'];
  chmodSync(join(folder, 'runs/csv/sweeps'), 0);
  onTestFinished(() => chmodSync(join(folder, 'runs/csv/sweeps'), 0o700));
  const { code, output } = await unrollIn(folder, words);
  expect(code, output).toBe(2);
  expect(output).toMatch(
    /error \[damaged-record\].*runs\/csv\/sweeps.* cannot be read: permission is denied/,
  );
  expect(readdirSync(join(folder, 'out'))).toEqual([]);
});

test.skipIf(!mayLackRights)(
  'a lock that cannot be read is reported, stays, and keeps no other run from being deleted',
  async () => {
    const folder = home();
    const other = '000000000000';
    cpSync(join(folder, run), join(folder, 'runs/csv', other), { recursive: true });
    const lock = join(folder, run, 'lock');
    writeFileSync(lock, '{}');
    utimesSync(lock, 0, 0);
    chmodSync(lock, 0);
    for (const words of [['ls'], ['compare', 'csv'], ['show', id]]) {
      const { code, output } = await unrollIn(folder, words);
      expect(code, output).toBe(0);
      expect(output).not.toContain(`${run}/lock`);
    }
    const repaired = await unrollIn(folder, ['check', id, '--repair', '--yes']);
    expect(repaired.code, repaired.output).toBe(1);
    expect(repaired.output).toMatch(/Cannot open \S+\/lock: permission is denied\.\n.*help: .*owner.*: rm /);
    expect(existsSync(lock)).toBe(true);
    const removed = await unrollIn(folder, ['rm', id, other, '--yes']);
    expect(removed.code, removed.output).toBe(1);
    expect(removed.output).toMatch(/Cannot open runs\/csv\/de33ab8a421e\/lock: permission is denied/);
    expect(removed.output).toMatch(/1 item deleted/);
    expect([run, `runs/csv/${other}`].map((one) => existsSync(join(folder, one)))).toEqual([true, false]);
  },
  240_000,
);

test.skipIf(!mayLackRights)('a repair that is refused does not stop the others', async () => {
  const folder = home();
  const leftovers = [`${run}/a.tmp`, 'runs/csv/sweeps/b.tmp'].map((one) => join(folder, one));
  for (const one of leftovers) {
    writeFileSync(one, '');
    utimesSync(one, 0, 0);
  }
  chmodSync(join(folder, 'runs/csv/sweeps'), 0o500);
  onTestFinished(() => chmodSync(join(folder, 'runs/csv/sweeps'), 0o700));
  const { code, output } = await unrollIn(folder, ['check', '--repair', '--yes']);
  expect(code, output).toBe(1);
  expect(output).toMatch(/Cannot delete runs\/csv\/sweeps\/b\.tmp: permission is denied/);
  expect(output).toMatch(/1 leftover, 1 repaired/);
  expect(leftovers.map((one) => existsSync(one))).toEqual([false, true]);
});
