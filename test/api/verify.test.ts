import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import { bundle, run, UnrollError, verify } from 'unroll-ml';
import { temporaryDirectory } from '../support/temporary-directory.ts';

// Trains six times, on a machine that may have much else to do.
vi.setConfig({ testTimeout: 240_000 });

const words = ['tea', 'milk', 'bread', 'salt', 'plum'];

/** A text classifier with pretrained vectors, trained in a folder. */
const trained = async () => {
  const folder = temporaryDirectory('text');
  const lines = Array.from(
    { length: 40 },
    (_, one) => `${words[one % 5] ?? ''} ${words[(one * 3) % 4] ?? ''},${one % 2 ? 'pos' : 'neg'}`,
  );
  writeFileSync(join(folder, 'texts.csv'), ['text,label', ...lines].join('\n'));
  const vectors = words.map((word, at) => `${word} ${at / 4} ${1 - at / 3} 0.5`).join('\n');
  writeFileSync(join(folder, 'glove.txt'), vectors);
  const spec = join(folder, 'text.yaml');
  writeFileSync(
    spec,
    `version: 1
name: text
dataset: { name: csv-text, file: texts.csv, testFraction: 0.25 }
model: { name: gru, hiddenSize: 4, embedding: { file: glove.txt } }
optimizer: { name: adam, learningRate: 0.02 }
train: { batchSize: 8, steps: 6, displayEvery: 2 }
`,
  );
  const runsDirectory = join(folder, 'runs');
  const { outcomes } = await run(spec, { runsDirectory, mlflow: false });
  const [id = ''] = Object.keys(outcomes);
  return { folder, runsDirectory, id };
};

it('verifies a run and its bundle elsewhere, with pretrained vectors, and finds a changed one', async () => {
  const { folder, runsDirectory, id } = await trained();
  const steps: number[] = [];
  const verified = await verify(id.slice(0, 5), { runsDirectory, onStep: (step) => steps.push(step) });
  expect(verified).toMatchObject({ verdict: 'identical', deviations: [], content: [], files: [] });
  expect(verified.onnx).toMatchObject({ result: 'agrees' });
  expect(steps.length).toBeGreaterThan(0);

  const output = join(temporaryDirectory('bundle'), 'text.zip');
  const written = await bundle('best:text', { runsDirectory, output, data: true });
  expect(written).toMatchObject({
    file: output,
    bytes: readFileSync(output).length,
    data: { file: 'data/file/texts.csv', vectors: 'vectors/glove.txt' },
  });
  const bare = join(temporaryDirectory('bundle'), 'bare.zip');
  expect(await bundle(id, { runsDirectory, output: bare })).toMatchObject({ data: null });

  const vectors = join(folder, 'glove.txt');
  const whole = readFileSync(vectors, 'utf8');
  writeFileSync(vectors, whole.replace('milk 0.25', 'milk 0.75'));
  expect(await verify(id, { runsDirectory })).toMatchObject({
    verdict: 'differs',
    content: [{ what: 'pretrained vectors' }],
  });
  await expect(bundle(id, { runsDirectory, output })).rejects.toThrow('force: true');
  await expect(bundle(id, { runsDirectory, output, force: true })).rejects.toThrow('pretrained vectors');
  writeFileSync(vectors, whole);

  const moved = `${folder}-moved`;
  renameSync(folder, moved);
  expect(await verify(output)).toMatchObject({ verdict: 'identical', content: [] });
  expect(await verify(bare, { specDirectory: moved, steps: 2 })).toMatchObject({ verdict: 'identical' });
  await expect(verify(bare)).rejects.toThrow(UnrollError);
});

it('throws what is wrong, and the reason of its signal', async () => {
  await expect(verify('nothing', { runsDirectory: temporaryDirectory() })).rejects.toThrow(UnrollError);
  const signal = AbortSignal.abort(new Error('not now'));
  await expect(verify('nothing', { signal })).rejects.toThrow('not now');
});
