import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { createRig } from '../../support/rig.ts';

/** What a wrong prediction of one class costs: lower is better, which its name does not say. */
const config = (price: number) => `
import { defineConfig, defineMetric } from 'unroll-ml';
const bill = defineMetric({
  name: 'bill',
  goal: 'minimize',
  unit: 'euros',
  range: [0, Infinity],
  tasks: ['classification'],
  build: () => {
    let total = 0;
    let rows = 0;
    return {
      add: ({ size, truths, outputs }) => {
        for (let row = 0; row < size; row++) {
          const prediction = Number(outputs[2 * row + 1]) > Number(outputs[2 * row]) ? 1 : 0;
          if (prediction !== truths[row]) total += ${price};
          rows++;
        }
      },
      value: () => total / rows,
    };
  },
});
export default defineConfig({ metrics: [bill] });
`;

const spec = `version: 1
name: trial
dataset: { name: toy-sequences, trainSize: 120, testSize: 40, validationSize: 40 }
model: { name: gru, hiddenSize: 8 }
optimizer: { name: adam, learningRate: 0.02 }
train: { batchSize: 16, steps: 40, evaluateEvery: 10, earlyStopping: { metric: val/bill, patience: 9 } }
sweep: { axes: { optimizer.learningRate: [0.00001, 0.02] } }
objective: { metric: val/bill }
expect: [{ metric: test/bill, lte: 3 }]
`;

it('a metric of the config is recorded, compared, plotted and chosen by as those of Unroll are', async () => {
  const rig = createRig();
  rig.write('spec.yaml', spec);
  rig.write('unroll.config.ts', config(3));
  expect((await rig.unroll('metrics')).stdout).toMatch(
    /bill +minimize {2}classification {2}\(unroll\.config\.ts\)/,
  );
  expect(await rig.unroll('run', 'spec.yaml', '--no-mlflow')).toMatchObject({ code: 0, stderr: '' });
  const ids = rig.runIds('trial');
  for (const id of ids) {
    const run = JSON.parse(readFileSync(rig.runPath('trial', id, 'run.json'), 'utf8')) as object;
    expect(run).toMatchObject({
      code: { metrics: { bill: expect.stringMatching(/^[0-9a-f]{64}$/) as string } },
      ownMetrics: { bill: { goal: 'minimize', unit: 'euros', range: [0, null] } },
    });
    const { metrics = {} } = rig.status('trial', id).outcome ?? {};
    for (const part of ['val', 'test'])
      expect(metrics[`${part}/bill`]).toBeCloseTo(3 * (1 - (metrics[`${part}/accuracy`] ?? NaN)), 9);
    expect(existsSync(rig.runPath('trial', id, 'plots', 'bill.svg'))).toBe(true);
  }
  // Other code of the metric makes other runs, and a frozen plan refuses it.
  rig.write('unroll.config.ts', config(4));
  expect((await rig.unroll('plan', 'spec.yaml')).stdout).toContain('The code of the metric bill has changed');
  const resumed = await rig.unroll('resume', '--no-mlflow');
  expect({
    ...resumed,
    stderr: resumed.stderr.includes('The code of the metric bill has changed'),
  }).toMatchObject({
    code: 2,
    stderr: true,
  });

  // What is recorded is compared without the config, too.
  rmSync(join(rig.directory, 'unroll.config.ts'));
  const compared = JSON.parse((await rig.unroll('compare', 'trial', '--json')).stdout) as {
    objective: { goal: string };
  };
  expect(compared.objective.goal).toBe('minimize');
});

it('an error in a metric names its line', async () => {
  const rig = createRig();
  rig.write('spec.yaml', spec.replace(/sweep:.*\n/, ''));
  rig.write(
    'unroll.config.ts',
    config(3).replace('value: () => total / rows', "value: () => 'much' as never"),
  );
  await rig.unroll('run', 'spec.yaml', '--no-mlflow');
  const [id = ''] = rig.runIds('trial');
  expect(rig.status('trial', id).outcome).toMatchObject({
    reason: 'failed',
    message: expect.stringContaining('value of metric bill (unroll.config.ts') as string,
  });
});
