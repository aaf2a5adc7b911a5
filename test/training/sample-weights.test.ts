import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { planExperiment } from '../../src/plan/plan-experiment.ts';
import { parseEvaluation } from '../../src/record/run-files.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { trainUntil } from '../support/toy-training.ts';

test('sample weights count in the metrics of validation and test', async () => {
  const folder = temporaryDirectory('weights');
  const rows = Array.from({ length: 60 }, (_, id) => {
    const label = id % 3 === 0 ? 'rare' : 'common';
    return `${id},${Math.sin(id)},${label === 'rare' ? 0 : 0.25},${label}`;
  });
  writeFileSync(join(folder, 'a.csv'), `${['id,x,w,label', ...rows].join('\n')}\n`);
  const spec = join(folder, 'spec.yaml');
  writeFileSync(
    spec,
    `version: 1
name: trial
dataset: { name: csv-sequences, file: '${join(folder, 'a.csv')}', sequence: id, targets: [label], weight: w, validationFraction: 0.3, testFraction: 0.3 }
model: { name: simple-rnn, hiddenSize: 2 }
optimizer: { name: sgd, learningRate: 0.1 }
train: { batchSize: 16, steps: 2 }
`,
  );
  const plan = await planExperiment(spec, { cores: 1 });
  if (!plan.ok) throw new Error(plan.errors.map(({ message }) => message).join(' '));
  const [run] = plan.value.runs;
  if (!run) throw new Error('the spec has no run');
  const directory = join(folder, run.id);
  mkdirSync(directory);
  const { metrics } = await trainUntil(run, directory, Infinity);
  const evaluation = parseEvaluation(JSON.parse(readFileSync(join(directory, 'evaluation.json'), 'utf8')));
  const label = evaluation?.labels?.indexOf('common') ?? -1;
  for (const [part, prefix] of [
    [evaluation, 'test'],
    [evaluation?.validation, 'val'],
  ] as const) {
    const { scores = [], examples = 0 } = part ?? {};
    const common = scores[label];
    // Of the classes only the one whose examples weigh something is left.
    expect(scores.filter(({ support }) => support > 0)).toEqual([common]);
    expect(common?.support).toBeLessThan(examples / 4);
    expect(metrics[`${prefix}/accuracy`]).toBe(common?.recall);
    expect(metrics[`${prefix}/balancedAccuracy`]).toBe(common?.recall);
  }
});
