import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { createRig, type Rig } from '../support/rig.ts';
import { smallSpec } from '../support/small-sweep.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

// Real sweeps, on a machine that may have much else to do.
vi.setConfig({ testTimeout: 240_000 });

/** The words of every command that a text proposes, as a shell would split them. */
const proposed = (text: string): string[][] =>
  [...text.matchAll(/\bunroll( (?:'[^']*'|(?:[^\s;"`',.]|[.,](?=[^\s;"`']))+))+/g)].map(([command]) =>
    [...command.matchAll(/'([^']*)'|(\S+)/g)]
      .slice(1)
      .map(([, quoted, plain]) => quoted ?? plain ?? '')
      .map((word) => (word === 'SPEC' ? 'my spec.yaml' : word)),
  );

/** A server that no port has. */
const nowhere = 'http://127.0.0.1:1';

test('every command that is proposed for another folder works as it is printed', async () => {
  const rig = createRig({ MLFLOW_HTTP_REQUEST_MAX_RETRIES: '0' });
  const folder = ['--runs-directory', 'my runs'];
  rig.write('my spec.yaml', smallSpec({ steps: 3, seeds: 2 }));
  const followed = new Set<string>();
  /** Runs what a command prints; `ends` has the exit codes of those that cannot succeed. */
  const follow = async (
    printed: { readonly stdout: string; readonly stderr: string },
    wanted: readonly string[],
    ends: Readonly<Record<string, number>> = {},
  ) => {
    // What was typed is shown above what is proposed.
    const text = `${printed.stdout}\n${printed.stderr}`.replaceAll(/^ +\d+ \|.*$/gm, '');
    const commands = proposed(text);
    expect([...new Set(commands.map(([command = '']) => command))].sort(), text).toEqual([...wanted].sort());
    for (const words of commands) {
      const [command = ''] = words;
      // A server would run until it is stopped.
      if (command === 'mlflow' || followed.has(words.join('\n'))) continue;
      followed.add(words.join('\n'));
      const { code, stderr } = await rig.unroll(...words);
      expect(code, `unroll ${words.join(' ')}: ${stderr}`).toBe(ends[command] ?? 0);
    }
  };

  await follow(await rig.unroll('show', 'zzz', ...folder), ['explain', 'run']);
  const first = await rig.unroll('run', 'my spec.yaml', '--runs-directory', 'others', '--limit', '1');
  await follow(first, ['report', 'resume', 'show']);
  await follow(await rig.unroll('show', 'zzz', ...folder), ['explain', 'ls']);
  await follow(await rig.unroll('compare', 'zzz', ...folder), ['explain', 'ls']);
  await follow(await rig.unroll('sync', ...folder), ['explain', 'mlflow']);
  const unreachable = await rig.unroll('sync', ...folder, '--to', nowhere);
  await follow(unreachable, ['explain', 'mlflow', 'sync'], { sync: 2 });
  expect(unreachable.stderr).toContain(`unroll sync --to ${nowhere} --runs-directory 'my runs'`);

  const [id = ''] = readdirSync(join(rig.directory, 'my runs', 'trial')).filter((name) =>
    /^[0-9a-f]+$/.test(name),
  );
  writeFileSync(join(rig.directory, 'my runs', 'trial', id, 'run.json'), '{');
  const damaged = await rig.unroll('check', ...folder);
  await follow(damaged, ['check', 'explain']);
  expect((await rig.unroll('check', ...folder)).code).toBe(0);

  const { stdout } = await rig.unroll('init', 'my own.yaml', '--dataset', 'toy-sequences', '--defaults');
  expect(proposed(stdout)).toEqual([['run', 'my own.yaml']]);
  await follow(await rig.unroll('models', 'lsmt'), ['explain', 'models']);
});

test('what is proposed after a failed run, and by commands that use a run, works as it is printed', async () => {
  const rig = createRig({ XDG_CONFIG_HOME: temporaryDirectory() });
  const folder = ['--runs-directory', 'my runs'];
  const at = (bound: string) => smallSpec({ steps: 3, train: `stopOn: { lossAbove: ${bound} }` });
  rig.write('my spec.yaml', at('1e-9'));
  const only = async (words: readonly string[], command: string) => {
    const { stdout, stderr } = await rig.unroll(...words);
    const text = `${stdout}\n${stderr}`
      .replaceAll(/^ +\d+ \|.*$/gm, '')
      .replaceAll(/^ *command +unroll.*$/gm, '');
    const [found = []] = proposed(text).filter(([name]) => name === command);
    expect(found, text).not.toEqual([]);
    return found;
  };
  // Each trains the failed run once more, which fails again.
  const again = await only(['run', 'my spec.yaml', ...folder], 'resume');
  expect(again).toContain('--retry-failed');
  const [id = ''] = readdirSync(join(rig.directory, 'my runs', 'trial')).filter((name) =>
    /^[0-9a-f]{12}$/.test(name),
  );
  for (const words of [
    ['show', id],
    ['export', id, '--format', 'onnx', '--output', 'out'],
    ['predict', id, '--input', 'x.csv'],
  ]) {
    const retry = await only([...words, ...folder], 'resume');
    expect(retry).toEqual(['resume', 'trial', '--retry-failed', ...folder]);
  }
  const retried = await rig.unroll(...again);
  expect(retried.code).toBe(1);
  expect(retried.stdout).toContain('attempt 2');

  rig.write('my spec.yaml', smallSpec({ steps: 3 }));
  expect((await rig.unroll('run', 'my spec.yaml', ...folder)).code).toBe(0);
  const verify = await only(['bundle', 'best:trial', '--output', 'the best.zip', ...folder], 'verify');
  expect(verify).toEqual(['verify', 'the best.zip']);
  expect((await rig.unroll(...verify)).code).toBe(0);
  // What `prune` proposes for single runs, with the run in the place of its name.
  const rm = await only(['prune', 'nothing', ...folder], 'rm');
  const removed = await rig.unroll(...rm.map((word) => (word === 'NAME' ? id : word)), '--yes');
  expect(removed.code).toBe(0);
  expect((await rig.unroll('show', id, ...folder)).code).toBe(2);
  const trust = await only(['trust', '--credentials'], 'trust');
  expect((await rig.unroll(...trust)).code).toBe(0);
});

test('own code, data and runs in other folders than the current one need nothing else than what is printed', async () => {
  const rig = createRig();
  mkdirSync(join(rig.directory, 'my project'));
  const inside = createRig({}, join(rig.directory, 'my project'));
  expect((await inside.unroll('new', 'model', 'mine')).code).toBe(0);
  const rows = Array.from({ length: 40 }, (_, at) => `${at >> 2},${at & 3},1,${at & 4 ? 'up' : 'down'}`);
  inside.write('data.csv', ['id,time,x,label', ...rows].join('\n'));
  inside.write(
    'spec.yaml',
    `version: 1
name: trial
dataset: { name: csv-sequences, file: data.csv, sequence: id, order: time, targets: [label] }
model: { name: mine }
optimizer: { name: adam }
train: { batchSize: 2, steps: 2 }
`,
  );
  const folder = ['--runs-directory', 'other/runs'];
  const follow = async (text: string, command: string) => {
    const [words = []] = proposed(text).filter(([name]) => name === command);
    const { code, stdout, stderr } = await rig.unroll(...words);
    expect(code, `unroll ${words.join(' ')}: ${stderr}`).toBe(0);
    return stdout;
  };
  const run = await rig.unroll('run', 'my project/spec.yaml', '--no-mlflow', ...folder);
  expect(run.code, run.stderr).toBe(0);
  await follow(run.stdout, 'show');
  await follow(run.stdout, 'report');
  for (const words of [
    ['predict', 'best:trial', '--input', 'my project/data.csv'],
    ['evaluate', 'best:trial', '--data', 'my project/data.csv'],
  ]) {
    const { code, stderr } = await rig.unroll(...words, ...folder);
    expect(code, stderr).toBe(0);
  }
  const bundled = await rig.unroll('bundle', 'best:trial', '--output', 'run.zip', ...folder);
  expect(await follow(bundled.stdout, 'verify')).toContain('identical');
});

test('the address that only the environment names is part of the command that sends the rest', async () => {
  const rig = createRig({ MLFLOW_TRACKING_URI: nowhere, MLFLOW_HTTP_REQUEST_MAX_RETRIES: '0' });
  rig.write('spec.yaml', smallSpec({ steps: 2 }));
  const { stdout } = await rig.unroll('run', 'spec.yaml', '--runs-directory', 'my runs');
  expect(stdout).toContain(`unroll sync trial --to ${nowhere} --runs-directory 'my runs'`);
});

test('a frozen plan whose data is gone proposes to resume in its own folder', async () => {
  const rig = createRig();
  const rows = Array.from({ length: 40 }, (_, at) => `${at},${at % 2},${at % 2 ? 'up' : 'down'}`);
  rig.write('data.csv', ['id,x,label', ...rows].join('\n'));
  rig.write(
    'spec.yaml',
    smallSpec({ steps: 2, seeds: 2 }).replace(
      /dataset: .*/,
      'dataset: { name: csv-sequences, file: data.csv, sequence: id, targets: [label] }',
    ),
  );
  await rig.unroll('run', 'spec.yaml', '--runs-directory', 'my runs', '--limit', '1');
  mkdirSync(join(rig.directory, 'deeper'));
  const deeper = createRig({}, join(rig.directory, 'deeper'));
  const elsewhere = await deeper.unroll('resume', '--runs-directory', '../my runs');
  expect(elsewhere.stderr).toMatch(
    /Resume it there: cd \.\. && unroll resume \w+ --runs-directory 'my runs'/,
  );
  renameSync(join(rig.directory, 'data.csv'), join(rig.directory, 'moved.csv'));
  const { stderr } = await rig.unroll('resume', '--runs-directory', 'my runs');
  const [words = []] = proposed(stderr).filter(([command]) => command === 'resume');
  expect(words).toEqual(['resume', expect.any(String), '--updated', '--runs-directory', 'my runs']);
  rig.write(
    'spec.yaml',
    readFileSync(join(rig.directory, 'spec.yaml'), 'utf8').replace('data.csv', 'moved.csv'),
  );
  expect((await rig.unroll(...words)).code).toBe(0);
});

/** The states that `ls` and `plan` print, and how many runs `prune stale` would delete. */
const statesOf = async (rig: Rig) => {
  const listed = JSON.parse((await rig.unroll('ls', '--json')).stdout) as { state: string }[];
  const planned = JSON.parse((await rig.unroll('plan', 'spec.yaml', '--json')).stdout) as {
    runs: { state: string }[];
  };
  const pruned = JSON.parse((await rig.unroll('prune', 'stale', '--json')).stdout) as { items: unknown[] };
  return [listed.map(({ state }) => state), planned.runs.map(({ state }) => state), pruned.items.length];
};

test('ls, plan and prune agree about runs whose data has changed, and has changed back', async () => {
  const rig = createRig();
  const rows = (label: string) =>
    Array.from({ length: 40 }, (_, at) =>
      [0, 1, 2].map(
        (time) =>
          `${at},${time},${at % 2 === 0 ? time : -time},${at === 1 ? label : at % 2 === 0 ? 'up' : 'down'}`,
      ),
    )
      .flat()
      .join('\n');
  const data = (label: string) => rig.write('data.csv', `id,time,x,label\n${rows(label)}\n`);
  rig.write(
    'spec.yaml',
    `version: 1
name: trial
dataset: { name: csv-sequences, file: data.csv, sequence: id, order: time, targets: [label], testFraction: 0.25 }
model: { name: gru, hiddenSize: 3 }
optimizer: { name: adam }
train: { batchSize: 8, steps: 2 }
`,
  );
  const states = () => statesOf(rig);
  data('down');
  expect((await rig.unroll('run', 'spec.yaml')).code).toBe(0);
  expect(await states()).toEqual([['done'], ['done'], 0]);
  data('up');
  expect(await states()).toEqual([['stale'], ['stale'], 1]);
  data('down');
  expect(await states()).toEqual([['done'], ['done'], 0]);
});

test('they agree about runs whose own model has changed, and has changed back', async () => {
  const rig = createRig();
  expect((await rig.unroll('new', 'model', 'my-mean')).code).toBe(0);
  const code = readFileSync(join(rig.directory, 'my-mean.ts'), 'utf8');
  rig.write(
    'spec.yaml',
    `version: 1
name: trial
dataset: { name: toy-sequences }
model: { name: my-mean }
optimizer: { name: adam }
train: { batchSize: 8, steps: 2 }
`,
  );
  expect((await rig.unroll('run', 'spec.yaml')).code).toBe(0);
  expect(await statesOf(rig)).toEqual([['done'], ['done'], 0]);
  rig.write('my-mean.ts', `${code}\nexport const changed = true;\n`);
  expect(await statesOf(rig)).toEqual([['stale'], ['stale'], 1]);
  rig.write('my-mean.ts', code);
  expect(await statesOf(rig)).toEqual([['done'], ['done'], 0]);
});
