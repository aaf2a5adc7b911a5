import { expect, test, vi } from 'vitest';
import { createRig, type Rig } from '../support/rig.ts';
import { smallSpec } from '../support/small-sweep.ts';

// Real sweeps, on a machine that may have much else to do.
vi.setConfig({ testTimeout: 240_000 });

interface Listed {
  readonly id: string;
  readonly varying: Readonly<Record<string, number>>;
}

const planned = async (rig: Rig): Promise<readonly Listed[]> => {
  const { stdout } = await rig.unroll('plan', 'spec.yaml', '--json');
  return (JSON.parse(stdout) as { runs: Listed[] }).runs;
};

/** Trains two runs at a time, and answers the hidden sizes in the order in which the runs were begun. */
const trained = async (run: string) => {
  const rig = createRig();
  rig.write('spec.yaml', smallSpec({ steps: 300, hiddenSizes: [4, 8, 128, 64], run }));
  const runs = await planned(rig);
  const { code, stdout } = await rig.unroll('run', 'spec.yaml', '--concurrency', '2');
  expect(code).toBe(0);
  const after = await planned(rig);
  return {
    shown: after.map(({ varying }) => varying['model.hiddenSize']),
    begun: Array.from(stdout.matchAll(/^started hiddenSize (\d+)/gm), ([, size]) => Number(size)),
    numbers: runs.map(({ id }) => rig.metrics('trial', id)),
  };
};

/** Two runs begin at the same moment, in either order; each takes longer than the start of a process varies. */
const pairs = (sizes: readonly number[]) =>
  [sizes.slice(0, 2), sizes.slice(2)].map((pair) => pair.sort((a, b) => a - b));

test('the longest runs begin first, and neither the plan nor a number knows it', async () => {
  const free = await trained('retries: 0');
  const inOrder = await trained('onError: stop');
  expect(pairs(free.begun)).toEqual([
    [64, 128],
    [4, 8],
  ]);
  expect(pairs(inOrder.begun)).toEqual([
    [4, 8],
    [64, 128],
  ]);
  expect(free.shown).toEqual([4, 8, 128, 64]);
  expect(free.numbers).toEqual(inOrder.numbers);
});
