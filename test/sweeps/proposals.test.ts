import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { createRig, type Rig } from '../support/rig.ts';
import { smallSpec } from '../support/small-sweep.ts';

// Real sweeps, on a machine that may have much else to do.
vi.setConfig({ testTimeout: 240_000 });

/** The words of the commands that a text proposes, as a shell would split them. */
const proposed = (text: string): string[][] =>
  [...text.matchAll(/with: unroll ([^;\n]+)/g)].map(([, words = '']) =>
    [...words.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? ''),
  );

test('every command that a sweep in another folder proposes works as it is printed', async () => {
  const rig = createRig();
  rig.write('spec.yaml', smallSpec({ steps: 3, seeds: 2 }));
  const first = await rig.unroll('run', 'spec.yaml', '--runs-directory', 'my runs', '--limit', '1');
  const commands = proposed(first.stdout);
  expect(commands.map(([command]) => command)).toEqual(['show', 'report', 'resume']);
  for (const words of commands) {
    const { code, stderr } = await rig.unroll(...words);
    expect(code, `${words.join(' ')}: ${stderr}`).toBe(0);
  }
  const { stdout } = await rig.unroll('ls', '--runs-directory', 'my runs');
  expect(stdout).toContain('2 runs: 2 done');
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
