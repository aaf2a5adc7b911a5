import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { beforeAll, vi } from 'vitest';
import { findDataFiles } from '../../src/data/columns/find-files.ts';
import { renderDiagnostics } from '../../src/diagnostic/render.ts';
import { content, joined } from '../../src/export/onnx/protobuf.ts';
import { placesKey } from '../../src/export/onnx/weight-places.ts';
import { modelKey, tokenizerKey, vocabularyKey } from '../../src/export/trained-model.ts';
import { planExperiment } from '../../src/plan/plan-experiment.ts';
import { openModel } from '../../src/prediction/open-model.ts';
import { predictFiles } from '../../src/prediction/predict.ts';
import { sealed } from '../../src/record/digests.ts';
import { modelFileNames } from '../../src/record/run-files.ts';
import { registry } from '../../src/registry/rows.ts';
import { bytesOf } from '../../src/system/files.ts';
import { tensorBytes } from '../../src/system/safetensors.ts';
import { writeBundle, type Manifest } from '../../src/verify/bundle-file.ts';
import { bundledSubject } from '../../src/verify/bundle-run.ts';
import { damagedBytes, fuzz, grown, type Input } from '../support/fuzz.ts';
import { mutated, type Random } from '../support/mutated.ts';
import { sharedDirectory } from '../support/temporary-directory.ts';
import { trainModel } from '../support/trained-model.ts';

vi.setConfig({ hookTimeout: 300_000 });

const specOf = (dataset: string) => `version: 1
name: x
dataset: ${dataset}
model: { name: lstm, hiddenSize: 4 }
optimizer: { name: adam }
train: { steps: 10, batchSize: 4 }
`;

/** Plans a spec whose data is in a file. */
const planOf =
  (dataset: string, file: string, content: (random: Random) => string | Uint8Array): Input =>
  async (random, directory) => {
    writeFileSync(join(directory, 'spec.yaml'), specOf(dataset));
    writeFileSync(join(directory, file), content(random));
    const result = await planExperiment(join(directory, 'spec.yaml'), { cores: 2 });
    return renderDiagnostics(result.ok ? result.notices : result.errors);
  };

const lines = (count: number, line: (at: number) => string) =>
  Array.from({ length: count }, (_, at) => line(at)).join('\n');

const one = (at: number, step: number) => ((at * 7 + step * 3) % 11) / 4;
const label = (at: number) => 'pqr'[at % 3] ?? 'p';

const ts = `@problemName x
@timeStamps false
@classLabel true p q r
@data
${lines(30, (at) => `${one(at, 0)},${one(at, 1)},?:${one(at, 2)},2:${label(at)}`)}
`;
const arff = `@relation x
@attribute a numeric
@attribute b numeric
@attribute class {p,q,r}
@data
${lines(30, (at) => `${one(at, 0)},${one(at, 1)},${label(at)}`)}
`;
const nestedArff = `@relation x
@attribute r relational
@data
${lines(30, (at) => `'${one(at, 0)},1\\n${one(at, 1)},2',${label(at)}`)}
`;
const tsv = lines(30, (at) => `${label(at)}\t${one(at, 0)}\t${one(at, 1)}\tNaN`);
const conll = lines(
  40,
  (at) => `-DOCSTART- -X- O\n\nword${at % 7} NN O\nin IN O\nParis NNP B-LOC\n\n# comment\nend . O\n`,
);
const sentences = lines(60, (at) => `the ${label(at)} word ${at % 9} is 𝕏 here, isn't it?`);
const csv = `s,a,y\n${lines(60, (at) => `${Math.floor(at / 3)},${one(at, 1)},${label(Math.floor(at / 3))}`)}\n`;
const texts = `text,y\n${lines(60, (at) => `the ${label(at)} word ${at % 9},${label(at)}`)}\n`;

/** A tokenizer with every part that a known one has. */
const tokenizer = JSON.stringify({
  version: '1.0',
  truncation: null,
  padding: null,
  added_tokens: [
    {
      ...{ id: 0, content: '[UNK]', single_word: false, lstrip: false },
      ...{ rstrip: false, normalized: false, special: true },
    },
  ],
  normalizer: {
    type: 'Sequence',
    normalizers: [
      {
        type: 'BertNormalizer',
        clean_text: true,
        handle_chinese_chars: true,
        strip_accents: null,
        lowercase: true,
      },
      { type: 'Replace', pattern: { String: 'a' }, content: 'b' },
      { type: 'Replace', pattern: { Regex: '[0-9]+' }, content: '0' },
      { type: 'Prepend', prepend: '▁' },
      { type: 'NFKC' },
    ],
  },
  pre_tokenizer: {
    type: 'Sequence',
    pretokenizers: [
      { type: 'Split', pattern: { Regex: '\\p{L}+|\\s+' }, behavior: 'Isolated', invert: false },
      { type: 'BertPreTokenizer' },
      { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
    ],
  },
  post_processor: null,
  decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
  model: {
    type: 'WordPiece',
    unk_token: '[UNK]',
    continuing_subword_prefix: '##',
    max_input_chars_per_word: 100,
    vocab: { '[UNK]': 0, the: 1, wor: 2, '##d': 3, is: 4, p: 5 },
  },
});

const parquet = (['UNCOMPRESSED', 'SNAPPY'] as const).map((codec) =>
  Buffer.from(
    parquetWriteBuffer({
      codec,
      rowGroupSize: 25,
      columnData: [
        { name: 's', data: Array.from({ length: 60 }, (_, at) => Math.floor(at / 3)), type: 'INT32' },
        {
          name: 'a',
          data: Array.from({ length: 60 }, (_, at) => (at % 9 ? one(at, 1) : null)),
          type: 'DOUBLE',
        },
        { name: 'l', data: Array.from({ length: 60 }, (_, at) => [one(at, 1), 2]) },
        { name: 'y', data: Array.from({ length: 60 }, (_, at) => label(Math.floor(at / 3))), type: 'STRING' },
      ],
    }),
  ),
);

/** Zstandard has no writer here: a frame of raw blocks. */
const zstd = (content: Buffer): Buffer => {
  const head = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x58]);
  const block = Buffer.alloc(3);
  block.writeUIntLE((content.length << 3) | 1, 0, 3);
  return Buffer.concat([head, block, content]);
};

/** Gzip data that becomes 60 MB: members after one another count as one file. */
const grownGzip = (text: string, random: Random): Buffer => {
  const member = gzipSync(grown(text, random));
  return Buffer.concat([gzipSync(text), ...Array.from({ length: 60 }, () => member)]);
};

const table = (name: string, file: string) =>
  `{ name: ${name}, file: ${file}, sequence: s, targets: [y], features: [a], missing: mean }`;
const sequences = table('csv-sequences', 'data.csv');
const labelled = '{ name: csv-text, file: data.csv, text: text, targets: [y], tokenizer: tokenizer.json }';

/** The folders of a table's and a text's network, which are trained once. */
const trained: { folder: string; input: string }[] = [];

beforeAll(async () => {
  const folder = sharedDirectory();
  writeFileSync(join(folder, 'data.csv'), csv);
  writeFileSync(join(folder, 'texts.csv'), texts);
  const rest =
    'model: { name: gru, hiddenSize: 3 }\noptimizer: { name: adam }\ntrain: { batchSize: 8, steps: 2 }\n';
  for (const [name, dataset, input] of [
    ['table', table('csv-sequences', 'data.csv'), 'data.csv'],
    ['text', '{ name: csv-text, file: texts.csv, text: text, targets: [y] }', 'texts.csv'],
  ] as const) {
    const { model } = await trainModel(folder, name, `dataset: ${dataset}\n${rest}`);
    trained.push({ folder: model.directory, input: join(folder, input) });
  }
});

/** A JSON value with one to three of its parts exchanged for others, or left out. */
const changedJson = (value: unknown, random: Random): unknown => {
  const places: { readonly holder: Record<string, unknown>; readonly key: string }[] = [];
  const copy = JSON.parse(JSON.stringify({ value })) as Record<string, unknown>;
  const visit = (holder: Record<string, unknown>): void => {
    for (const key of Object.keys(holder)) {
      places.push({ holder, key });
      const inner = holder[key];
      if (typeof inner === 'object' && inner !== null) visit(inner as Record<string, unknown>);
    }
  };
  visit(copy);
  const others = [
    null,
    -1,
    0,
    0.5,
    1e9,
    1e15,
    '',
    '../../x',
    '\u001b[2J',
    'a'.repeat(5000),
    [],
    {},
    [[[]]],
    true,
  ];
  for (let left = 1 + random.integer(3); left > 0; left--) {
    const { holder, key } = places[random.integer(places.length)] ?? { holder: copy, key: 'value' };
    if (random.integer(4) === 0) Reflect.deleteProperty(holder, key);
    else holder[key] = others[random.integer(others.length)];
  }
  return copy['value'];
};

/** JSON with some changed values; empty where nothing of it is left. */
const changedText = (text: string, random: Random): string => {
  const changed = changedJson(JSON.parse(text), random);
  return changed === undefined ? '' : JSON.stringify(changed);
};

const usedModel: Input = async (random, directory) => {
  const { folder, input } = trained[random.integer(trained.length)] ?? { folder: '', input: '' };
  const copy = join(directory, 'model');
  cpSync(folder, copy, { recursive: true });
  const names = [modelFileNames.model, modelFileNames.weights, modelFileNames.vocabulary];
  const name = names[random.integer(names.length)] ?? '';
  const path = join(copy, readdirSync(copy).includes(name) ? name : modelFileNames.model);
  const isJson = path.endsWith('.json') && random.integer(4) > 0;
  writeFileSync(
    path,
    isJson ? changedText(readFileSync(path, 'utf8'), random) : damagedBytes(readFileSync(path), random),
  );
  try {
    return await predicted(copy, input, directory);
  } finally {
    rmSync(copy, { recursive: true });
  }
};

const predicted = async (reference: string, input: string, directory: string): Promise<string> => {
  const model = openModel(reference, { runsDirectory: join(directory, 'runs') });
  if (!model.ok) return renderDiagnostics(model.errors);
  const files = await findDataFiles(input, { baseDirectory: '.' }, 'input');
  const done = await predictFiles([model.value], { files, registry }, () => undefined);
  return renderDiagnostics(done.ok ? done.notices : done.errors);
};

/** The value of a key in the metadata of an ONNX file, which follows it there. */
const metadataIn = (onnx: Buffer, key: string): string => {
  let at = onnx.lastIndexOf(key) + key.length + 1;
  let length = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = onnx[at++] ?? 0;
    length += (byte & 127) * 2 ** shift;
    if (byte < 128) break;
  }
  return onnx.toString('utf8', at, at + length);
};

const onnxKeys = [modelKey, placesKey, vocabularyKey, tokenizerKey];

/** A `model.onnx` with other bytes, or with other metadata: of an entry that is there twice, the last one counts. */
const usedOnnx: Input = async (random, directory) => {
  const { folder, input } = trained[random.integer(trained.length)] ?? { folder: '', input: '' };
  const whole = readFileSync(join(folder, modelFileNames.onnx));
  const path = join(directory, 'model.onnx');
  if (random.integer(2) === 0) writeFileSync(path, damagedBytes(whole, random));
  else {
    const key = onnxKeys[random.integer(onnxKeys.length)] ?? '';
    const before = whole.includes(key) ? metadataIn(whole, key) : '["a"]';
    const text = random.integer(4) === 0 ? mutated(before, random) : changedText(before, random);
    const added = content(14, joined(content(1, key), content(2, text)));
    writeFileSync(path, Buffer.concat([whole, ...added.pieces]));
  }
  return predicted(path, input, directory);
};

/** One of 1 MB, of tiny fields, long texts, deep messages or JSON, or claims without an end. */
const largeOnnx: Input = async (random, directory) => {
  const { folder, input } = trained[0] ?? { folder: '', input: '' };
  const whole = readFileSync(join(folder, modelFileNames.onnx));
  const size = 900_000;
  const entry = (key: string, text: string) => content(14, joined(content(1, key), content(2, text)));
  const places = (count: number) =>
    JSON.stringify({
      a: {
        shape: [size],
        parts: Array.from({ length: count }, (_, at) => ({
          ...{ initializer: 'x', from: at, shape: [random.integer(3), size], offset: 0, strides: [1, 0] },
        })),
      },
    });
  const nested = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`;
  const parts = [
    () => [Buffer.alloc(size, mutated('\u0008\u0001', random), 'latin1')],
    () => [Buffer.alloc(size, Buffer.from([0x72, 0]))],
    () => entry(placesKey, places(10_000)).pieces,
    () => entry(modelKey, nested(size / 2)).pieces,
    () => entry(placesKey, nested(size / 2)).pieces,
    () => entry(vocabularyKey, JSON.stringify(Array.from({ length: size / 9 }, (_, at) => `w${at}`))).pieces,
    () => entry(mutated(modelKey, random), mutated('{}', random).repeat(9).padEnd(size)).pieces,
    () => content(7, joined(...Array.from({ length: 50_000 }, () => content(5, content(1, ''))))).pieces,
  ];
  const path = join(directory, 'model.onnx');
  writeFileSync(path, Buffer.concat([whole, ...(parts[random.integer(parts.length)]?.() ?? [])]));
  return predicted(path, input, directory);
};

const run = {
  id: '0123456789ab',
  seed: 1,
  config: { dataset: { name: 'toy-sequences' }, model: { name: 'lstm' } },
};

/** A bundle whose manifest is right for its files, or one that was damaged afterwards. */
const bundle: Input = async (random, directory) => {
  const path = join(directory, 'run.unroll');
  const manifest = {
    unroll: '0',
    experiment: 'x',
    run: run.id,
    spec: null,
    config: null,
    startWeights: null,
    data: null,
  };
  const entries = new Map([
    [`${run.id}/run.json`, { text: mutated(JSON.stringify(run), random) }],
    [
      `${run.id}/status.json`,
      { text: mutated('{"state":"completed","outcome":{"reason":"completed"}}', random) },
    ],
  ]);
  const changed = changedJson(manifest, random) as Omit<Manifest, 'format' | 'files' | 'sha256'>;
  await writeBundle(path, entries, random.integer(2) === 0 ? manifest : changed);
  if (random.integer(2) === 0) writeFileSync(path, damagedBytes(readFileSync(path), random));
  const folder = join(directory, 'unpacked');
  rmSync(folder, { recursive: true, force: true });
  const subject = await bundledSubject(path, { folder, specDirectory: directory });
  return subject.ok ? sealed({}) : renderDiagnostics(subject.errors);
};

const tokens = ['the', 'word', 'p', 'q', '1'];
const numbers = Float32Array.from({ length: tokens.length * 3 }, (_, at) => one(at, 1));

/** A matrix as NumPy saves it, with a header of any form. */
const npy = (header: string): Buffer => {
  const head = Buffer.from('\x93NUMPY\u0002\0\0\0\0\0', 'latin1');
  head.writeUInt32LE(Buffer.byteLength(header), 8);
  return Buffer.concat([head, Buffer.from(header), bytesOf(numbers)]);
};
const npyHeader = `{'descr': '<f4', 'fortran_order': False, 'shape': (${tokens.length}, 3), }`;

const tensors = Buffer.concat(
  tensorBytes({
    tensors: new Map([
      ['embedding', { shape: [tokens.length, 3], values: numbers }],
      ['bias', { shape: [2], values: numbers.slice(0, 2) }],
    ]),
    metadata: { run: 'x' },
  }),
);

/** The same with another header. */
const withHeader = (change: (header: string) => string): Buffer => {
  const end = 8 + Number(tensors.readBigUInt64LE(0));
  const header = Buffer.from(change(tensors.toString('utf8', 8, end)));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  return Buffer.concat([length, header, tensors.subarray(end)]);
};

const textVectors = lines(tokens.length, (at) => `${tokens[at] ?? ''} ${one(at, 0)} ${one(at, 1)} -0.5`);

/** Plans a spec whose model reads vectors from a file. */
const vectorsIn =
  (file: string, content: (random: Random) => string | Uint8Array): Input =>
  async (random, directory) => {
    const setting = file.endsWith('.txt') ? `{ file: ${file} }` : `{ file: ${file}, tokens: tokens.txt }`;
    const spec = specOf('{ name: csv-text, file: data.csv, text: text, targets: [y] }');
    writeFileSync(
      join(directory, 'spec.yaml'),
      spec.replace('hiddenSize: 4', `hiddenSize: 4, embedding: ${setting}`),
    );
    writeFileSync(join(directory, 'data.csv'), texts);
    writeFileSync(
      join(directory, 'tokens.txt'),
      random.integer(4) === 0 ? mutated(tokens.join('\n'), random) : tokens.join('\n'),
    );
    writeFileSync(join(directory, file), content(random));
    const result = await planExperiment(join(directory, 'spec.yaml'), { cores: 2 });
    return renderDiagnostics(result.ok ? result.notices : result.errors);
  };

const inputs: Readonly<Record<string, Input>> = {
  '.ts files': planOf('{ name: ucr, file: data.ts }', 'data.ts', (random) => mutated(ts, random)),
  '.arff files': planOf('{ name: ucr, file: data.arff }', 'data.arff', (random) =>
    mutated(random.integer(2) ? arff : nestedArff, random),
  ),
  '.tsv files': planOf('{ name: ucr, file: data.tsv }', 'data.tsv', (random) => mutated(tsv, random)),
  'CoNLL files': planOf('{ name: conll, file: data.conll }', 'data.conll', (random) =>
    mutated(conll, random),
  ),
  'long texts': planOf('{ name: text, file: data.txt, sequenceLength: 8 }', 'data.txt', (random) =>
    mutated(sentences, random),
  ),
  'Parquet files': planOf(table('parquet-sequences', 'data.parquet'), 'data.parquet', (random) =>
    damagedBytes(parquet[random.integer(parquet.length)] ?? Buffer.alloc(0), random),
  ),
  'Parquet lists': planOf(
    '{ name: parquet-sequences, layout: wide, file: data.parquet, targets: [y], features: [l] }',
    'data.parquet',
    (random) => damagedBytes(parquet[random.integer(parquet.length)] ?? Buffer.alloc(0), random),
  ),
  'gzip files': planOf(sequences, 'data.csv', (random) => damagedBytes(gzipSync(csv), random)),
  'zstd files': planOf(sequences, 'data.csv', (random) => damagedBytes(zstd(Buffer.from(csv)), random)),
  tokenizers: (random, directory) => {
    writeFileSync(
      join(directory, 'tokenizer.json'),
      random.integer(2) === 0 ? mutated(tokenizer, random) : changedText(tokenizer, random),
    );
    return planOf(labelled, 'data.csv', () => texts)(random, directory);
  },
  'folders of models': usedModel,
  'ONNX files': usedOnnx,
  bundles: bundle,
  '.npy vectors': vectorsIn('v.npy', (random) =>
    random.integer(2) ? npy(mutated(npyHeader, random)) : damagedBytes(npy(npyHeader), random),
  ),
  'safetensors vectors': vectorsIn('v.safetensors', (random) =>
    random.integer(3)
      ? withHeader((header) => (random.integer(2) ? changedText(header, random) : mutated(header, random)))
      : damagedBytes(tensors, random),
  ),
  'text vectors': vectorsIn('v.txt', (random) =>
    mutated(random.integer(2) ? textVectors : `5 3\n${textVectors}`, random),
  ),
  'large .ts files': planOf('{ name: ucr, file: data.ts }', 'data.ts', (random) => grown(ts, random)),
  'large .arff files': planOf('{ name: ucr, file: data.arff }', 'data.arff', (random) => grown(arff, random)),
  'large CoNLL files': planOf('{ name: conll, file: data.conll }', 'data.conll', (random) =>
    grown(conll, random),
  ),
  'large gzip tables': planOf(sequences, 'data.csv', (random) => grownGzip(csv, random)),
  'large gzip CoNLL files': planOf('{ name: conll, file: data.conll }', 'data.conll', (random) =>
    grownGzip(conll, random),
  ),
  'large .npy vectors': vectorsIn('v.npy', (random) => npy(grown(npyHeader, random))),
  'large safetensors vectors': vectorsIn('v.safetensors', (random) =>
    withHeader((header) => grown(header, random)),
  ),
  'large text vectors': vectorsIn('v.txt', (random) => grown(textVectors, random)),
  'large ONNX files': largeOnnx,
  'large texts': planOf('{ name: text, file: data.txt, sequenceLength: 8 }', 'data.txt', (random) =>
    grown(sentences, random),
  ),
};

fuzz(inputs, 0.45);
