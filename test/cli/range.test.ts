import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { createRig } from '../support/rig.ts';

const spec = `version: 1
name: trial
dataset: { name: toy-sequences, trainSize: 60, testSize: 20, validationSize: 20 }
model: { name: simple-rnn, hiddenSize: 4 }
optimizer: { name: sgd, learningRate: 0.1, schedule: { name: plateau } }
train: { batchSize: 16, epochs: 2, evaluateEvery: 2, ema: 0.9, stopOn: { lossAbove: 1 } }
sweep: { axes: { model.hiddenSize: [4, 6] } }
`;

interface Printed {
  readonly run: string;
  readonly suggestion: number | null;
  readonly diverges: number | null;
  readonly points: readonly {
    readonly learningRate: number;
    readonly loss: number;
  }[];
}

it('tries rising learning rates on one run of a spec, and records nothing', async () => {
  const rig = createRig();
  rig.write('spec.yaml', spec);
  const { code, stdout, stderr } = await rig.unroll(
    ...[
      'range',
      'spec.yaml',
      '--only',
      'model.hiddenSize=6',
      '--from',
      '0.001',
      '--to',
      '1e12',
      '--steps',
      '30',
      '--plot',
      'range.svg',
      '--json',
    ],
  );
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const { points, run, diverges } = JSON.parse(stdout) as Printed;
  points.forEach(({ learningRate }, at) =>
    expect(learningRate / (0.001 * 1e15 ** (at / 29))).toBeCloseTo(1, 9),
  );
  expect(points.length).toBeGreaterThan(5);
  // No network learns at such rates: they really were those of the steps.
  expect(diverges).not.toBeNull();
  expect(readFileSync(join(rig.directory, 'range.svg'), 'utf8')).toContain('<svg');
  expect(existsSync(join(rig.directory, 'runs'))).toBe(false);

  expect(run).toMatch(/^[0-9a-f]{12}$/);
  const wrong = await rig.unroll('range', 'spec.yaml', '--from', '1', '--to', '0.1');
  expect(wrong).toMatchObject({ code: 2 });
  expect(wrong.stderr).toContain('The range does not rise.');
});
