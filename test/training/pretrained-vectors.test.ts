import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { planExperiment } from '../../src/plan/plan-experiment.ts';
import type { Run } from '../../src/plan/plan.ts';
import { runIdOf } from '../../src/plan/run-identity.ts';
import { parseRun } from '../../src/record/parse-run-files.ts';
import { readTensors } from '../../src/system/safetensors.ts';
import { dataFolder } from '../data/support/data-files.ts';
import { trainUntil } from '../support/toy-training.ts';

const texts = Array.from(
  { length: 40 },
  (_, at) => `${['red', 'sky', 'sea'][at % 3]} ${['dog', 'cat'][at % 2]},${at % 2}`,
);
const files = {
  'a.csv': ['text,label', ...texts, ''].join('\n'),
  'v.txt': 'red 0.1 0.2 0.3\ndog -1 0 1e-3\nyak 7 7 7\n',
};

const planOf = async (folder: string, model: string) => {
  const path = join(folder, 'spec.yaml');
  writeFileSync(
    path,
    `version: 1
name: vectors
dataset: { name: csv-text, file: a.csv }
model: { name: gru, hiddenSize: 4, ${model} }
optimizer: { name: adam, learningRate: 0.05 }
train: { batchSize: 8, steps: 6 }
`,
  );
  return planExperiment(path, { cores: 1 });
};

const runOf = async (folder: string, model: string): Promise<Run> => {
  const plan = await planOf(folder, model);
  if (!plan.ok) throw new Error(plan.errors.map(({ message }) => message).join(' '));
  return plan.value.runs[0] ?? expect.fail();
};

/** The embedding of a trained run, by token. */
const trained = async (run: Run, folder: string) => {
  const directory = join(folder, run.id);
  mkdirSync(directory);
  writeFileSync(join(directory, 'run.json'), JSON.stringify(run));
  // `trainUntil` reads data from the directory of the run.
  for (const [name, content] of Object.entries(files)) writeFileSync(join(directory, name), content);
  const outcome = await trainUntil(run, directory, Infinity);
  expect(outcome.message).toContain('all 6 steps done');
  const vocabulary = JSON.parse(readFileSync(join(directory, 'model/vocabulary.json'), 'utf8')) as {
    readonly tokens: readonly string[];
  };
  const table = readTensors(join(directory, 'model/weights.safetensors')).tensors.get('weights/embedding');
  const width = table?.shape[1] ?? 0;
  const rows = vocabulary.tokens.map((token, at) => [
    token,
    [...(table?.values.subarray(at * width, (at + 1) * width) ?? [])],
  ]);
  return {
    embedding: Object.fromEntries(rows) as Readonly<Record<string, readonly number[]>>,
    data: JSON.parse(readFileSync(join(directory, 'data.json'), 'utf8')) as object,
  };
};

const inFile = { red: [0.1, 0.2, 0.3].map(Math.fround), dog: [-1, 0, Math.fround(1e-3)] };

it('fixed vectors keep every bit, and others are trained', async () => {
  const folder = dataFolder(files).baseDirectory;
  const fixed = await trained(await runOf(folder, 'embedding: { file: v.txt, trainable: false }'), folder);
  expect(fixed.embedding).toMatchObject(inFile);
  expect(fixed.data).toMatchObject({ vectors: [{ file: 'v.txt', tokens: 7, found: 2 }] });
  const moved = await trained(await runOf(folder, 'embedding: { file: v.txt }'), folder);
  expect(moved.embedding['red']).not.toEqual(inFile.red);
  expect(moved.embedding['red']?.[0]).toBeCloseTo(0.1, 0);
  // Tokens without a vector begin with the same draws in both runs, and those that are fixed end with them.
  expect(moved.embedding['<pad>']).toEqual(fixed.embedding['<pad>']);
  expect(moved.embedding['sky']).not.toEqual(fixed.embedding['sky']);
});

it('the vectors are part of the id, and where they are is not', async () => {
  const folder = dataFolder(files).baseDirectory;
  const model = 'embedding: { file: v.txt, trainable: false }';
  const run = await runOf(folder, model);
  expect(run.config.model).toMatchObject({ embedding: { size: 3, file: 'v.txt', trainable: false } });
  expect(parseRun('run.json', JSON.stringify(run))).toMatchObject({ ok: true });
  expect(runIdOf(run)).toBe(run.id);
  expect((await runOf(folder, 'embedding: { file: v.txt }')).id).not.toBe(run.id);
  renameSync(join(folder, 'v.txt'), join(folder, 'w.txt'));
  expect((await runOf(folder, model.replace('v.txt', 'w.txt'))).id).toBe(run.id);
  writeFileSync(join(folder, 'w.txt'), files['v.txt'].replace('0.3', '0.4'));
  expect((await runOf(folder, model.replace('v.txt', 'w.txt'))).id).not.toBe(run.id);
});

it('a size alone is embeddingSize, however it is written', async () => {
  const folder = dataFolder(files).baseDirectory;
  const { id, config } = await runOf(folder, 'embeddingSize: 16');
  expect(config.model).not.toHaveProperty('embedding');
  expect((await runOf(folder, 'embedding: 16')).id).toBe(id);
  expect((await runOf(folder, 'embedding: { size: 16 }')).id).toBe(id);
  expect((await runOf(folder, 'embedding: { size: 16, trainable: false }')).id).not.toBe(id);
});
