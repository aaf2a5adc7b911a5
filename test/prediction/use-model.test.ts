import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { findDataFiles } from '../../src/data/columns/find-files.ts';
import { allocateBatch } from '../../src/data/dataset.ts';
import { evaluateFiles, type Evaluation } from '../../src/prediction/evaluate.ts';
import type { OpenModel } from '../../src/prediction/open-model.ts';
import { predictFiles } from '../../src/prediction/predict.ts';
import { buildPredictor } from '../../src/prediction/predictor.ts';
import { sampleText, walker } from '../../src/prediction/sample.ts';
import { registry } from '../../src/registry/rows.ts';
import type { Cell } from '../../src/training/predicted-row.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { trainModel } from '../support/trained-model.ts';

const network = `optimizer: { name: adam, learningRate: 0.02 }
train: { batchSize: 8, steps: 8, displayEvery: 4 }
`;

const about = (value: number): unknown => expect.closeTo(value, 5);

const filesAt = (path: string) => findDataFiles(path, { baseDirectory: '.' }, 'input');

const rowsOf = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, at) => {
    const one = from + at;
    return Array.from(
      { length: 3 },
      (__, step) => `s${one},${step},${(one * step) % 7},${'abc'[one % 3]}`,
    ).join('\n');
  }).join('\n');

const tableIn = (folder: string) => {
  writeFileSync(join(folder, 'train.csv'), `id,t,x,label\n${rowsOf(0, 40)}`);
  writeFileSync(join(folder, 'test.csv'), `id,t,x,label\n${rowsOf(40, 60)}`);
  return '{ name: csv-sequences, file: train.csv, testFile: test.csv, sequence: id, order: t, targets: [label] }';
};

describe('a trained model on other data', () => {
  test.each([
    ['beside a baseline', ''],
    ['with the weights of its classes', 'loss: { name: cross-entropy, classWeights: balanced }\n'],
  ])('is evaluated as the end of its training evaluated the test part, %s', async (_, loss) => {
    const folder = temporaryDirectory();
    const spec = `dataset: ${tableIn(folder)}\nmodel: { name: lstm, hiddenSize: 5 }\n${loss}${network}`;
    const { model, directory } = await trainModel(folder, 'table', spec);
    const files = await filesAt(join(folder, 'test.csv'));
    const evaluated = await evaluateFiles(model, { files, registry });
    if (!evaluated.ok) throw new Error(evaluated.errors[0]?.message ?? '');
    const { metrics, confusion, examples, baseline } = evaluated.value;
    for (const [name, value] of Object.entries(metrics))
      expect(value, name).toBe(model.file.metrics[`test/${name}`]);
    expect(Object.keys(metrics)).toContain('accuracy');
    const recorded = JSON.parse(readFileSync(join(directory, 'evaluation.json'), 'utf8')) as object;
    expect(recorded).toMatchObject({ confusion, examples });
    expect(baseline).toMatchObject({ name: 'majority', accuracy: 0.35 });
  });

  test.each([
    ['classification', { name: 'majority', label: 'b', accuracy: 9 / 13 }],
    // The weighted mean is 8 / 13, as far from 0 with weight 9 as from 2 with weight 4.
    ['regression', { name: 'mean', mae: about(144 / 169), rmse: about(12 / 13) }],
  ])('counts examples by their weights, also in its baseline (%s)', async (task, expected) => {
    const folder = temporaryDirectory();
    const targets = task === 'regression' ? [0, 0, 5, 2] : ['a', 'b', 'b', 'a'];
    const rows = [0, 9, 0, 4].map((weight, at) => `${at / 4},${weight},${targets[at] ?? ''}`);
    const spread = targets.map((target, at) => `${at},1,${target}`);
    writeFileSync(join(folder, 'train.csv'), `x,w,y\n${spread.join('\n')}`);
    writeFileSync(join(folder, 'test.csv'), `x,w,y\n${rows.join('\n')}`);
    const dataset = `{ name: csv-sequences, layout: wide, task: ${task}, file: train.csv, testFile: test.csv, targets: [y], weight: w, validationFraction: 0 }`;
    const spec = `dataset: ${dataset}\nmodel: { name: lstm, hiddenSize: 2 }\n${network}`;
    const { model, directory } = await trainModel(folder, 'weighted', spec);
    const evaluated = await evaluateFiles(model, {
      files: await filesAt(join(folder, 'test.csv')),
      registry,
    });
    expect(evaluated).toMatchObject({ ok: true, value: { weighted: true, baseline: expected } });
    if (!evaluated.ok) return;
    for (const [name, value] of Object.entries(evaluated.value.metrics))
      expect(value, name).toBe(model.file.metrics[`test/${name}`]);
    const recorded = JSON.parse(readFileSync(join(directory, 'evaluation.json'), 'utf8')) as Evaluation;
    expect(evaluated.value.confusion).toEqual(recorded.confusion);
    const withoutWeights = rows.map((row) => row.split(',').toSpliced(1, 1).join(','));
    writeFileSync(join(folder, 'plain.csv'), `x,y\n${withoutWeights.join('\n')}`);
    const plain = await evaluateFiles(model, { files: await filesAt(join(folder, 'plain.csv')), registry });
    expect(plain).toMatchObject({ ok: true, value: { examples: 4 } });
    expect(plain).not.toHaveProperty('value.weighted');
  });

  test('of generated data is not evaluated, since no file has its targets', async () => {
    const folder = temporaryDirectory();
    const spec = `dataset: { name: toy-sequences, trainSize: 40, testSize: 10 }\nmodel: { name: lstm, hiddenSize: 4 }\n${network}`;
    const { model } = await trainModel(folder, 'generated', spec);
    writeFileSync(join(folder, 'a.jsonl'), '{"inputs": [[0.1], [0.2]]}\n');
    const files = await filesAt(join(folder, 'a.jsonl'));
    const evaluated = await evaluateFiles(model, { files, registry });
    expect(evaluated).toMatchObject({ ok: false, errors: [{ code: 'conflict' }] });
    const predicted: unknown[] = [];
    const answered = await predictFiles([model], { files, registry }, (row) => predicted.push(row));
    expect(answered).toMatchObject({ ok: true });
    expect(predicted).toHaveLength(1);
  });

  test('is refused with file and line where rows cannot be used, or classes are unknown', async () => {
    const folder = temporaryDirectory();
    const spec = `dataset: ${tableIn(folder)}\nmodel: { name: gru, hiddenSize: 4 }\n${network}`;
    const { model } = await trainModel(folder, 'table', spec);
    const bad = join(folder, 'bad.csv');
    writeFileSync(
      bad,
      'id,t,x,label\nn1,0,1,a\nn1,1,warm,a\nn1,2,3,a\nn2,0,1,z\nn2,1,2,z\nn2,2,2,z\nn3,0,4,a',
    );
    const predicted = await predictFiles([model], { files: await filesAt(bad), registry }, () => undefined);
    expect(JSON.stringify(predicted)).toContain('bad.csv:3: column \\"x\\" is not a number');
    writeFileSync(bad, 'id,t,x,label\nn1,0,1,a\nn1,1,2,a\nn1,2,3,a\nn2,0,1,z\nn2,1,2,z\nn2,2,2,z');
    const evaluated = await evaluateFiles(model, { files: await filesAt(bad), registry });
    expect(JSON.stringify(evaluated)).toContain(
      `bad.csv:5: column \\"label\\": \\"z\\" is none of the model's classes`,
    );
    writeFileSync(bad, 'id,t,x\nn1,0,1\nn1,1,2\nn2,0,1\nn2,1,2');
    const short = await predictFiles([model], { files: await filesAt(bad), registry }, () => undefined);
    expect(JSON.stringify(short)).toContain('bad.csv:3: a sequence of 2 steps');
    writeFileSync(bad, 'id,t,y\nn1,0,1');
    const other = await predictFiles([model], { files: await filesAt(bad), registry }, () => undefined);
    expect(JSON.stringify(other)).toContain('has no column \\"x\\"');
  });

  test('leaves out rows of a forecast that are still to come when it is evaluated', async () => {
    const folder = temporaryDirectory();
    const rows = Array.from({ length: 60 }, (_, day) => `${day},${(day * 3) % 7},${day % 4}`);
    writeFileSync(join(folder, 'past.csv'), ['day,sales,holiday', ...rows].join('\n'));
    const ahead = [60, 61, 62].map((day) => `${day},,${day % 4}`);
    writeFileSync(join(folder, 'ahead.csv'), ['day,sales,holiday', ...rows, ...ahead].join('\n'));
    const { model } = await trainModel(
      folder,
      'sales',
      `dataset: { name: csv-series, file: past.csv, time: day, targets: [sales], future: [holiday], window: 6, horizon: 3 }\nmodel: { name: gru, hiddenSize: 3 }\n${network}`,
    );
    const evaluate = async (name: string) =>
      evaluateFiles(model, { files: await filesAt(join(folder, name)), registry });
    const past = await evaluate('past.csv');
    expect(past).toMatchObject({ ok: true, value: { examples: 52 } });
    expect(await evaluate('ahead.csv')).toEqual(past);

    const files = await filesAt(join(folder, 'ahead.csv'));
    const none = await predictFiles([model], { files, registry, horizon: 0 }, () => undefined);
    expect(none).toMatchObject({ ok: false, errors: [{ code: 'out-of-range' }] });
  });

  test('is refused numbers that are too large for a network', async () => {
    const folder = temporaryDirectory();
    const spec = `dataset: ${tableIn(folder)}\nmodel: { name: lstm, hiddenSize: 4 }\n${network}`;
    const { model } = await trainModel(folder, 'table', spec);
    const bad = join(folder, 'large.csv');
    const predict = async () =>
      predictFiles([model], { files: await filesAt(bad), registry }, () => undefined);
    for (const large of ['1e39', '-1e300']) {
      writeFileSync(bad, `id,t,x\nn1,0,1\nn1,1,${large}\nn1,2,3\n`);
      expect(JSON.stringify(await predict())).toContain('large.csv:3: column \\"x\\" is not a finite number');
    }
    writeFileSync(bad, 'id,t,x\nn1,0,1\nn1,1,1e37\nn1,2,3\n');
    expect(await predict()).toMatchObject({ ok: true });

    // What a kernel makes of sums that are too large.
    const weights = new Map(
      [...model.weights].map(([name, { shape, values }]) => [
        name,
        { shape, values: values.map(() => 3e38) },
      ]),
    );
    const broken = { ...model, weights };
    const evaluated = await evaluateFiles(broken, {
      files: await filesAt(join(folder, 'test.csv')),
      registry,
    });
    expect(JSON.stringify(evaluated)).toContain('no finite output for the sequence \\"s40\\"');
    const files = await filesAt(join(folder, 'test.csv'));
    const predicted = await predictFiles([broken], { files, registry }, () => undefined);
    expect(predicted).toMatchObject({ ok: false, errors: [{ code: 'bad-data' }] });
  });

  test('is averaged with others of the same signature', async () => {
    const folder = temporaryDirectory();
    const dataset = tableIn(folder);
    const trained: OpenModel[] = [];
    for (const seed of [1, 2]) {
      const spec = `dataset: ${dataset}\nmodel: { name: lstm, hiddenSize: 4 }\n${network}seeds: [${seed}]\n`;
      trained.push((await trainModel(folder, `seed${seed}`, spec)).model);
    }
    const predict = async (models: typeof trained) => {
      const rows: ReadonlyMap<string, Cell>[] = [];
      const files = await filesAt(join(folder, 'test.csv'));
      const done = await predictFiles(models, { files, registry }, (row) => rows.push(row));
      return { rows, done };
    };
    const [one, two, both] = [
      await predict(trained.slice(0, 1)),
      await predict(trained.slice(1)),
      await predict(trained),
    ];
    for (const [at, row] of both.rows.entries()) {
      const mean =
        (Number(one.rows[at]?.get('probability a')) + Number(two.rows[at]?.get('probability a'))) / 2;
      expect(row.get('probability a')).toBeCloseTo(mean, 6);
    }
    expect(both.rows).toHaveLength(20);
    writeFileSync(join(folder, 'train.csv'), `id,t,x,label\n${rowsOf(3, 40)}`);
    const stranger = await trainModel(
      folder,
      'stranger',
      `dataset: ${dataset}\nmodel: { name: lstm }\n${network}`,
    );
    expect((await predict([...trained, stranger.model])).done).toMatchObject({
      ok: false,
      errors: [{ code: 'conflict' }],
    });
  });
});

describe('a language model', () => {
  test('carries its state: the same logits as of the whole text read again', async () => {
    const folder = temporaryDirectory();
    writeFileSync(join(folder, 'book.txt'), 'the old man and the sea and the old boat. '.repeat(30));
    for (const model of [
      '{ name: lstm, hiddenSize: 6, layers: 2 }',
      '{ name: gru, hiddenSize: 6, embeddingSize: 3 }',
    ]) {
      const spec = `dataset: { name: characters, file: book.txt, length: 20 }\nmodel: ${model}\n${network}`;
      const trained = await trainModel(folder, 'book', spec);
      const built = await buildPredictor(trained.model, registry);
      if (!built.ok) throw new Error(built.errors[0]?.message ?? '');
      const tokens = Array.from({ length: 20 }, (_, at) => (at * 5) % 7);
      const { shape } = trained.model.file;
      const batch = allocateBatch(shape, 1);
      batch.inputs.set(tokens);
      batch.lengths[0] = 20;
      batch.size = 1;
      const classes = 'classes' in shape.task ? shape.task.classes : 0;
      const whole = built.value.outputs({ batch, shape, id: String });
      const walk = walker(built.value);
      for (const [at, token] of tokens.entries()) {
        const logits = walk([token]);
        for (let one = 0; one < classes; one++)
          expect(logits[one], `${model}, step ${at}`).toBeCloseTo(whole[at * classes + one] as number, 5);
      }
      const settings = { prompt: 'the ', length: 25, temperature: 1, seed: 4 };
      const text = await sampleText(trained.model, registry, settings);
      expect(text).toMatchObject({ ok: true, value: expect.stringMatching(/^the .{25}$/s) as string });
      expect(await sampleText(trained.model, registry, settings)).toEqual(text);
      expect(await sampleText(trained.model, registry, { ...settings, seed: 5 })).not.toEqual(text);
      const likeliest = await sampleText(trained.model, registry, { ...settings, topK: 1 });
      expect(await sampleText(trained.model, registry, { ...settings, temperature: 0 })).toEqual(likeliest);
      expect(await sampleText(trained.model, registry, { ...settings, prompt: 'Z' })).toMatchObject({
        errors: [{ message: expect.stringContaining('the prompt:1 has the character "Z"') as string }],
      });
    }
  });
});
