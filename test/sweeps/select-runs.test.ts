import { expect, test, vi } from 'vitest';
import { createRig, type Rig } from '../support/rig.ts';
import { smallSpec } from '../support/small-sweep.ts';

// Real sweeps, on a machine that may have much else to do.
vi.setConfig({ testTimeout: 240_000 });

interface PlanOutput {
  readonly counts: Readonly<Record<string, number>>;
  readonly estimate: { readonly ms: number | null; readonly runs: number; readonly unknown: number };
  readonly runs: readonly { id: string; seed: number; state: string; reason: string; toTrain: boolean }[];
}

const planned = async (rig: Rig, ...words: readonly string[]): Promise<PlanOutput> => {
  const { stdout, code } = await rig.unroll('plan', 'spec.yaml', '--json', ...words);
  expect(code).toBe(0);
  return JSON.parse(stdout) as PlanOutput;
};

const attempts = (rig: Rig) => rig.runIds('trial').map((id) => rig.status('trial', id).attempt);

test('--only and --limit train what they say, and a value added to an axis trains only its configurations', async () => {
  const rig = createRig();
  rig.write('spec.yaml', smallSpec({ steps: 3, hiddenSizes: [4, 8], seeds: 2 }));
  const none = await planned(rig);
  expect(none.estimate).toEqual({ ms: null, runs: 0, unknown: 4 });

  expect((await rig.unroll('run', 'spec.yaml', '--only', 'hiddenSize=8', '--limit', '1')).code).toBe(0);
  const one = await planned(rig, '--only', 'hiddenSize=8');
  expect(one.runs.map(({ state, toTrain }) => [state, toTrain])).toEqual([
    ['new', false],
    ['new', false],
    ['done', false],
    ['new', true],
  ]);
  // The other seed of the same settings takes as long as the one that is done.
  const [done] = rig.runIds('trial');
  const ms = rig.status('trial', done ?? '').outcome?.elapsedMs;
  expect(one.estimate).toEqual({ ms, runs: 1, unknown: 0 });
  expect((await rig.unroll('run', 'spec.yaml', '--only', 'state=done')).code).toBe(0);
  expect(attempts(rig)).toEqual([1]);

  expect((await rig.unroll('resume', '--only', 'seed=1')).code).toBe(0);
  expect((await planned(rig)).runs.map(({ state }) => state)).toEqual(['done', 'new', 'done', 'new']);
  expect((await rig.unroll('run', 'spec.yaml')).code).toBe(0);

  rig.write('spec.yaml', smallSpec({ steps: 3, hiddenSizes: [4, 6, 8], seeds: 2 }));
  const wider = await planned(rig);
  expect(wider.counts).toMatchObject({ done: 4, new: 2 });
  expect(wider.estimate.unknown).toBe(2);
  expect((await rig.unroll('run', 'spec.yaml')).code).toBe(0);
  expect(attempts(rig)).toEqual([1, 1, 1, 1, 1, 1]);
});

test('a run is stale when the data it was made with has changed', async () => {
  const rig = createRig();
  const rows = (last: string) =>
    rig.write(
      'data.jsonl',
      Array.from(
        { length: 20 },
        (_, at) => `{"x": [1, ${at}], "label": "a"}\n{"x": [${at}, -1], "label": "${last}"}\n`,
      ).join(''),
    );
  rows('b');
  rig.write(
    'spec.yaml',
    smallSpec({ steps: 2 })
      .replace(
        /dataset: .*/,
        'dataset: { name: jsonl-sequences, file: data.jsonl, layout: wide, features: [x], targets: [label] }',
      )
      .replace('batchSize: 16', 'batchSize: 4'),
  );
  const first = await rig.unroll('run', 'spec.yaml');
  expect(first.stderr).toBe('');
  expect(first.code).toBe(0);
  const [id = ''] = rig.runIds('trial');

  rows('c');
  const changed = await planned(rig);
  expect(changed.counts).toMatchObject({ stale: 1 });
  expect(changed.runs[0]?.reason).toBe(`The data of jsonl-sequences has changed. Finished before as ${id}.`);
  const resumed = await rig.unroll('resume');
  expect(resumed.code).toBe(0);
  expect((await rig.unroll('run', 'spec.yaml')).code).toBe(0);
  const list = JSON.parse((await rig.unroll('ls', '--json')).stdout) as { id: string; state: string }[];
  expect(new Map(list.map((one) => [one.id, one.state])).get(id)).toBe('stale');
  expect(list.filter(({ state }) => state === 'done')).toHaveLength(1);
});

test('a condition that no run fits is told', async () => {
  const rig = createRig();
  rig.write('spec.yaml', smallSpec({ steps: 3, hiddenSizes: [4, 8] }));
  const { code, stderr } = await rig.unroll('run', 'spec.yaml', '--only', 'hiddenSize>8');
  expect(code).toBe(2);
  expect(stderr).toContain("None of the plan's 2 runs fits hiddenSize>8.");
});
