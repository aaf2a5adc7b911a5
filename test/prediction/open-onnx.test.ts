import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, test } from 'vitest';
import { findDataFiles } from '../../src/data/columns/find-files.ts';
import { randomStream } from '../../src/data/random.ts';
import { exportModel } from '../../src/export/export-model.ts';
import { createGraph } from '../../src/export/onnx/graph.ts';
import { content, integer, joined, type Message } from '../../src/export/onnx/protobuf.ts';
import { toOnnx } from '../../src/export/onnx/to-onnx.ts';
import { openModel, type OpenModel } from '../../src/prediction/open-model.ts';
import { predictFiles } from '../../src/prediction/predict.ts';
import { registry } from '../../src/registry/rows.ts';
import { withinTime } from '../../src/system/within-time.ts';
import { loadTensorFlow } from '../../src/tensorflow/load.ts';
import { writeModelFolder } from '../support/model-folder.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { trainModel } from '../support/trained-model.ts';
import { trainedCase } from '../support/trained-models.ts';
import { wordTokenizer } from '../support/word-tokenizer.ts';

await loadTensorFlow();

const open = (path: string) => openModel(path, { runsDirectory: temporaryDirectory() });

const opened = (path: string): OpenModel => {
  const model = open(path);
  if (!model.ok) throw new Error(model.errors[0]?.message);
  return model.value;
};

/** The folder of a model, and beside it its ONNX file alone. */
const bothForms = async (number: number) => {
  const folder = temporaryDirectory();
  const { title, ...trained } = await trainedCase(number, 1);
  writeModelFolder(folder, trained);
  const model = opened(folder);
  const made = toOnnx(model.file, model.weights);
  if ('impossible' in made) throw new Error(made.impossible);
  const path = join(temporaryDirectory(), 'one.onnx');
  writeFileSync(path, Buffer.concat(made.pieces));
  return { title, model, path };
};

describe('a model.onnx', () => {
  it.each(Array.from({ length: 33 }, (_, number) => number))(
    'holds the same bits as the folder, case %i',
    async (number) => {
      const { title, model, path } = await bothForms(number);
      const again = opened(path);
      expect(again.file, title).toEqual(model.file);
      const sorted = ({ weights }: OpenModel) => [...weights].sort(([a], [b]) => (a < b ? -1 : 1));
      expect(sorted(again), title).toEqual(sorted(model));
    },
  );

  test('predicts texts as its folder does, with the vocabulary and the tokenizer that it holds', async () => {
    const folder = temporaryDirectory();
    const words = ['tea', 'milk', 'bread', 'salt', 'plum'];
    const lines = Array.from(
      { length: 40 },
      (_, one) => `${words[one % 5] ?? ''} ${words[(one * 3) % 4] ?? ''},${one % 2 ? 'pos' : 'neg'}`,
    );
    writeFileSync(join(folder, 'train.csv'), ['text,label', ...lines.slice(0, 30)].join('\n'));
    writeFileSync(join(folder, 'test.csv'), ['text,label', ...lines.slice(30)].join('\n'));
    writeFileSync(join(folder, 'words.json'), wordTokenizer(words));
    for (const tokenizer of ['', ', tokenizer: words.json']) {
      const name = tokenizer ? 'tokenized' : 'plain';
      const { model } = await trainModel(
        folder,
        name,
        `dataset: { name: csv-text, file: train.csv, testFile: test.csv${tokenizer} }
model: { name: lstm, hiddenSize: 4, embeddingSize: 3 }
optimizer: { name: adam, learningRate: 0.02 }
train: { batchSize: 8, steps: 4, displayEvery: 2 }
`,
      );
      const alone = join(temporaryDirectory(), 'words.ONNX');
      copyFileSync(join(model.directory, 'model.onnx'), alone);
      const predict = async (one: OpenModel) => {
        const rows: unknown[] = [];
        const files = await findDataFiles(join(folder, 'test.csv'), { baseDirectory: '.' }, 'input');
        const done = await predictFiles([one], { files, registry }, (row) => rows.push([...row]));
        expect(done.ok).toBe(true);
        return rows;
      };
      const again = opened(alone);
      const rows = await predict(again);
      expect(rows, name).toHaveLength(10);
      expect(rows, name).toEqual(await predict(model));
      for (const format of ['onnx', 'safetensors', 'pytorch'] as const)
        expect(exportModel(again, format), `${name} as ${format}`).toEqual(exportModel(model, format));
    }
  });

  test('of another program, of other weights, and of no file is refused with what to do', async () => {
    const folder = temporaryDirectory();
    const path = join(folder, 'other.onnx');
    const graph = createGraph('other', new Map()).message([], []);
    const write = (...fields: readonly Message[]) =>
      writeFileSync(path, Buffer.concat(joined(...fields).pieces));
    write(integer(1, 8), content(2, 'pytorch'), content(7, graph));
    expect(open(path)).toMatchObject({
      errors: [{ code: 'unsupported-version', message: expect.stringContaining('pytorch') as string }],
    });
    const { model } = await bothForms(0);
    write(
      integer(1, 8),
      content(7, graph),
      content(14, joined(content(1, 'unroll.model'), content(2, JSON.stringify(model.file)))),
    );
    expect(open(path)).toMatchObject({
      errors: [
        { code: 'unsupported-version', message: expect.stringContaining('earlier versions') as string },
      ],
    });
    for (const text of ['', 'hello, this is a text', '{"format": 2}']) {
      writeFileSync(path, text);
      expect(open(path), text).toMatchObject({ errors: [{ code: 'damaged-record' }] });
    }
    expect(open(join(folder, 'none.onnx'))).toMatchObject({ errors: [{ code: 'file-missing' }] });
  });

  test('that is cut off or changed is refused, or opens as some model: it never throws', async () => {
    const { path } = await bothForms(0);
    const whole = readFileSync(path);
    const random = randomStream(20, 'damaged-onnx');
    let refused = 0;
    const attempt = (bytes: Buffer) => {
      writeFileSync(path, bytes);
      const model = open(path);
      if (model.ok) return;
      refused++;
      expect(model.errors[0]?.help).toBeTruthy();
    };
    for (let time = 0; time < 60; time++) attempt(whole.subarray(0, random.integer(whole.length)));
    expect(refused).toBe(60);
    for (let time = 0; time < 150; time++) {
      const changed = Buffer.from(whole);
      for (let byte = 0; byte < 3; byte++) changed[random.integer(whole.length)] = random.integer(256);
      attempt(changed);
    }
    expect(refused).toBeGreaterThan(80);
  });

  test.each([
    ['more elements than it has', [2 ** 30, 2 ** 20], [2 ** 30, 2 ** 20]],
    ['rows without columns', [1], [2 ** 52, 0]],
    ['axes whose product is not a number', [1e300, 1e300, 0], [1, 1]],
  ] as const)('whose metadata declares %s is refused before they are made', (_, shape, part) => {
    const path = join(temporaryDirectory(), 'large.onnx');
    const places = {
      a: { shape, parts: [{ initializer: 'x', from: 0, shape: part, offset: 0, strides: [0, 0] }] },
    };
    const entry = (key: string, value: unknown) =>
      content(14, joined(content(1, key), content(2, JSON.stringify(value))));
    const graph = createGraph('large', new Map()).message([], []);
    writeFileSync(
      path,
      Buffer.concat(
        joined(integer(1, 8), content(7, graph), entry('unroll.model', {}), entry('unroll.weights', places))
          .pieces,
      ),
    );
    // The time is that of a hang.
    const read = withinTime(60_000, () => open(path));
    expect(read?.value).toMatchObject({
      errors: [
        { message: expect.stringMatching(/declares more than it has|removed the initializer/) as string },
      ],
    });
  });
});
