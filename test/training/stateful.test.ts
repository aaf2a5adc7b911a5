import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parquetReadObjects } from 'hyparquet';
import { describe, expect, test } from 'vitest';
import { findDataFiles } from '../../src/data/columns/find-files.ts';
import { evaluateFiles } from '../../src/prediction/evaluate.ts';
import { buildPredictor } from '../../src/prediction/predictor.ts';
import { predictFiles } from '../../src/prediction/predict.ts';
import { walker } from '../../src/prediction/sample.ts';
import { fileNames } from '../../src/record/run-files.ts';
import { registry } from '../../src/registry/rows.ts';
import { softmax } from '../../src/training/predicted-row.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { firstRun, specOf, torchCases, trainCase, type TorchCase } from '../support/torch-cases.ts';
import { metricsIn, trainUntil } from '../support/toy-training.ts';
import { trainModel } from '../support/trained-model.ts';

describe('losses are those of PyTorch', () => {
  const { streams } = torchCases;

  const trained = async (one: TorchCase, how: Parameters<typeof trainCase>[1]) => {
    const { losses, metrics } = await trainCase(one, how);
    return { losses, validation: Number(metrics['val/loss']), test: Number(metrics['test/loss']) };
  };

  const kernels: Readonly<Record<string, readonly string[]>> = {
    lstm: ['fused-lstm', 'block-lstm', 'composed-lstm'],
    gru: ['fused-gru', 'composed-gru'],
    'simple-rnn': ['fused-simple-rnn', 'composed-simple-rnn'],
  };

  const distance = (one: Awaited<ReturnType<typeof trained>>, other: TorchCase): number =>
    Math.max(
      ...other.train.map((loss, at) => Math.abs(loss - (one.losses[at] ?? NaN))),
      Math.abs(other.validation - one.validation),
      Math.abs(other.test - one.test),
    );

  const cases = torchCases.cases.flatMap((one) =>
    (kernels[one.model] ?? []).map((kernel) => ({ ...one, kernel })),
  );

  test.each(cases)('$kernel', async ({ kernel, ...one }) => {
    const result = await trained(one, { train: `stateful: true, batchSize: ${streams}`, kernel });
    expect(result.losses).toHaveLength(one.train.length);
    expect(distance(result, one)).toBeLessThan(1e-6);
  });

  test.each(torchCases.cases)('with accumulate: $model', async (one) => {
    const train = `stateful: true, batchSize: ${streams / 2}, accumulate: 2`;
    expect(distance(await trained(one, { train }), one)).toBeLessThan(1e-6);
  });

  test('and others without the state', async () => {
    const [one] = torchCases.cases;
    if (!one) throw new Error('no case');
    const result = await trained(one, { train: `batchSize: ${streams}` });
    expect(Math.abs(result.test - one.test)).toBeGreaterThan(1e-3);
  });
});

/** Letters in which the next one follows from those long before. */
const text = Array.from({ length: 900 }, (_, at) => 'abcdefg'[(at * at + (at >> 3)) % 7]).join('');

const words = (
  folder: string,
) => `dataset: { name: text, file: ${join(folder, 'text.txt')}, length: 6, tokens: { unit: characters }, validationFraction: 0.1, testFraction: 0.3 }
`;

test.each([
  ['lstm, layers: 2, dropout: 0.3, recurrentDropout: 0.2', 'lastBatch: keep'],
  ['gru, embeddingSize: 3', 'lastBatch: drop, accumulate: 2, ema: 0.9'],
])('a run of %s with %s has the same bits after it was killed within a pass', async (model, train) => {
  const folder = temporaryDirectory('stateful');
  writeFileSync(join(folder, 'text.txt'), text);
  const run = await firstRun(
    specOf(
      folder,
      `${words(folder)}model: { name: ${model}, hiddenSize: 5 }
optimizer: { name: adam, learningRate: 0.05 }
train: { stateful: true, shuffle: false, batchSize: 4, steps: 30, displayEvery: 1, evaluateEvery: 5, checkpointEvery: 3, ${train} }
`,
    ),
  );
  const calm = join(folder, 'calm', run.id);
  const disturbed = join(folder, 'disturbed', run.id);
  const { metrics } = await trainUntil(run, calm, Infinity);
  // Within the first pass, and within the second and third.
  for (const moment of [13, 30, 22]) await trainUntil(run, disturbed, moment);
  expect(await trainUntil(run, disturbed, Infinity)).toMatchObject({ reason: 'completed', metrics });
  expect(metricsIn(disturbed)).toEqual(metricsIn(calm));
  expect(readFileSync(join(disturbed, 'log.txt'), 'utf8')).not.toContain('warning:');
});

/** A model with a test part of more than one stream, and a file that holds the sequences of that part. */
const languageModel = async () => {
  const folder = temporaryDirectory('stateful');
  const long = text.repeat(4);
  writeFileSync(join(folder, 'text.txt'), long);
  const { model, directory } = await trainModel(
    folder,
    'trial',
    `${words(folder)}model: { name: gru, hiddenSize: 8 }
optimizer: { name: adam, learningRate: 0.02 }
train: { stateful: true, shuffle: false, batchSize: 16, steps: 30, predictions: 10000 }
`,
  );
  const part = long.slice(long.length - Math.round(long.length * 0.3));
  const sequences = Math.floor((part.length - 1) / 6);
  const letters = part.slice(0, sequences * 6 + 1);
  const path = join(folder, 'test.txt');
  writeFileSync(path, letters);
  const files = await findDataFiles(path, { baseDirectory: '.' }, 'input');
  return { model, directory, files, letters, sequences };
};

test('evaluate and predict carry the state', async () => {
  const { model, directory, files, letters, sequences } = await languageModel();
  expect(model.file.stateful).toBe(true);

  const evaluated = await evaluateFiles(model, { files, registry });
  if (!evaluated.ok) throw new Error('not evaluated');
  const { loss, accuracy, perplexity } = evaluated.value.metrics;
  expect(evaluated.value.examples).toBe(sequences);
  expect(sequences).toBeGreaterThan(100);
  // Bit for bit those of the run.
  expect([loss, accuracy, perplexity]).toEqual(
    ['loss', 'accuracy', 'perplexity'].map((name) => model.file.metrics[`test/${name}`]),
  );

  const bytes = readFileSync(join(directory, fileNames.predictions));
  const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
  const recorded = await parquetReadObjects({ file });
  expect(recorded.map((row) => Number(row['sequence']))).toEqual(
    Array.from({ length: sequences * 6 }, (_, at) => Math.floor(at / 6)),
  );
  const rows: number[][] = [];
  await predictFiles([model], { files, registry }, (row) => rows.push(probabilities([...row])));
  const expected = recorded.map((row) => probabilities(Object.entries(row)));
  // The first stream begins where the file does; what it reads in one piece is the same to rounding.
  const distance = (at: number) =>
    Math.max(...(expected[at] ?? []).map((value, label) => Math.abs(value - (rows[at]?.[label] ?? NaN))));
  const distances = expected.map((_, at) => distance(at));
  expect(Math.max(...distances.slice(0, 20 * 6))).toBeLessThan(1e-6);
  expect(Math.max(...distances)).toBeGreaterThan(1e-4);

  // The last prediction is that of a network which has read the whole file, character by character.
  const built = await buildPredictor(model, registry);
  if (!built.ok) throw new Error('not built');
  const walk = walker(built.value);
  const vocabulary = model.vocabulary ?? [];
  const logits = Array.from(letters, (letter) => walk([vocabulary.indexOf(letter)])).at(-1);
  const last = softmax(logits ?? new Float32Array());
  expect(rows).toHaveLength(letters.length);
  rows.at(-1)?.forEach((value, label) => expect(value).toBeCloseTo(last[label] ?? NaN, 5));
});

const probabilities = (row: readonly (readonly [string, unknown])[]): number[] =>
  row.flatMap(([name, value]) => (name.startsWith('probability ') ? [Number(value)] : []));
