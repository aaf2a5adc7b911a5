import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { SearchLine } from '../../src/record/search-journal.ts';
import { createRig, until, type Rig } from '../support/rig.ts';

const spec = (sweep: string) => `
version: 1
name: searched
dataset: { name: toy-sequences, validationSize: 200 }
model: { name: lstm, hiddenSize: 8 }
optimizer: { name: adam, learningRate: 0.01 }
train: { batchSize: 32, steps: 36, displayEvery: 4, evaluateEvery: 18 }
objective: { metric: val/accuracy, goal: maximize }
sweep:
  ${sweep}
  axes:
    optimizer.learningRate: { logUniform: [1e-4, 1e-1] }
    model.hiddenSize: [4, 8, 16]
`;

const journal = (rig: Rig): SearchLine[] => {
  const folder = join(rig.directory, 'runs', 'searched', 'sweeps');
  const name = readdirSync(folder).find((one) => one.endsWith('.decisions.jsonl')) ?? '';
  return readFileSync(join(folder, name), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as SearchLine);
};

/** Decisions and results, whatever order they were written in. */
const decided = (rig: Rig) =>
  journal(rig)
    .map((line) => ('result' in line ? `${line.decision} = ${line.result}` : JSON.stringify(line)))
    .sort();

const everyRun = (rig: Rig) =>
  rig.runIds('searched').map((id) => ({
    id,
    reason: rig.status('searched', id).outcome?.reason,
    metrics: rig.metrics('searched', id),
  }));

/** No metric of a step stands twice. */
const expectEachStepOnce = (rig: Rig) => {
  for (const { metrics } of everyRun(rig)) {
    const points = metrics.flatMap((line) => Object.keys(line.metrics).map((name) => `${line.step} ${name}`));
    expect(new Set(points).size).toBe(points.length);
  }
};

describe('a sweep that decides by results', () => {
  const pruned = spec(`method: tpe
  samples: 14
  pruning: { name: asha, minSteps: 4, reductionFactor: 3 }`);

  test('comes out the same after kills and at another concurrency, and trains no step twice', async () => {
    const [calm, disturbed] = [createRig(), createRig()];
    for (const rig of [calm, disturbed]) rig.write('spec.yaml', pruned);
    const ended = await calm.unroll('run', 'spec.yaml', '--concurrency', '2');
    expect(ended.stderr + ended.stdout).toContain('pruned');
    expect(ended.code).toBe(0);

    for (const lines of [5, 20]) {
      const { process: killed, finished } = disturbed.start('run', 'spec.yaml', '--concurrency', '1');
      await until(() => {
        try {
          return journal(disturbed).length >= lines;
        } catch {
          return false;
        }
      });
      killed.kill('SIGKILL');
      await finished;
    }
    const resumed = await disturbed.unroll('resume');
    expect(resumed.code).toBe(0);
    expect(decided(disturbed)).toEqual(decided(calm));
    expect(everyRun(disturbed)).toEqual(everyRun(calm));
    expectEachStepOnce(disturbed);
    expect(calm.runIds('searched')).toHaveLength(14);

    // Nothing is left to do, and without its pruning the rest goes on from the checkpoints.
    expect((await calm.unroll('run', 'spec.yaml', '--json')).stdout).toContain('"trained": []');
    // A run that was removed is trained again as far as was decided, with the same numbers.
    const ids = calm.runIds('searched');
    const before = everyRun(calm);
    const [kept, other] = [
      before.find(({ reason }) => reason === 'completed')?.id ?? '',
      before.find(({ reason }) => reason === 'pruned')?.id ?? '',
    ];
    expect((await calm.unroll('rm', kept, other, '--yes')).code).toBe(0);
    expect(calm.runIds('searched')).toHaveLength(ids.length - 2);
    const restored = await calm.unroll('run', 'spec.yaml', '--json');
    const { trained } = JSON.parse(restored.stdout) as { readonly trained: readonly string[] };
    expect([...trained].sort()).toEqual([kept, other].sort());
    expect(everyRun(calm)).toEqual(before);

    const again = await calm.unroll('run', 'spec.yaml');
    const [, best = 'none'] = /^14 runs: .*; (best .*)$/m.exec(ended.stdout) ?? [];
    expect(again.stdout).toContain('14 runs: 14 recorded before');
    expect(again.stdout).toContain(best);
    const counts = everyRun(calm).map(({ reason }) => reason);
    expect(counts.filter((reason) => reason === 'completed').length).toBeGreaterThan(0);
    expect(counts.filter((reason) => reason === 'pruned').length).toBeGreaterThan(7);
  });

  test('trains pruned runs to their end once there is no pruning any more', async () => {
    const rig = createRig();
    const sweep = 'method: random\n  samples: 4';
    rig.write(
      'spec.yaml',
      spec(`${sweep}\n  pruning: { name: median, minSteps: 4, everySteps: 16, minRuns: 1 }`),
    );
    expect((await rig.unroll('run', 'spec.yaml')).code).toBe(0);
    rig.write('spec.yaml', spec(sweep));
    expect((await rig.unroll('run', 'spec.yaml')).code).toBe(0);
    expect(everyRun(rig).map(({ reason }) => reason)).toEqual(Array(4).fill('completed'));
    expectEachStepOnce(rig);
  });
});
