import type { ExportFormat } from './formats.ts';
import { safeLine } from '../terminal/safe-text.ts';
import { axisNames, headOf } from './head.ts';
import { hasSeriesInput, inputEncodingOf, type InputEncoding } from './inputs.ts';
import type { TrainedModel } from './trained-model.ts';

/** A README of a few lines, whose code runs in the folder of the export. */
export const readmeOf = (model: TrainedModel, format: ExportFormat, title: string): string => {
  const encoding = inputEncodingOf(model);
  const given: Given = {
    encoding,
    steps: model.shape.steps,
    variable: model.shape.variableLength,
    series: hasSeriesInput(encoding),
    stateful: model.stateful === true,
    answer: headOf(model).kind === 'numbers' ? 'predictions' : 'probabilities',
  };
  const { needs, language, code } = examples[format](given);
  return [
    `# ${title}`,
    '',
    `Written by Unroll. ${needs}`,
    '',
    `\`\`\`${language}`,
    ...code,
    '```',
    '',
    ...(format === 'safetensors' ? [] : [inputsText(given), '', ...namesText(model)]),
  ].join('\n');
};

interface Given {
  readonly encoding: InputEncoding;
  readonly steps: number;
  readonly variable: boolean;
  readonly series: boolean;
  readonly stateful: boolean;
  readonly answer: 'predictions' | 'probabilities';
}

interface Example {
  readonly needs: string;
  readonly language: 'python' | 'js';
  readonly code: readonly string[];
}

const examples: Readonly<Record<ExportFormat, (given: Given) => Example>> = {
  onnx: (given) => ({
    needs:
      'Run it with ONNX Runtime: `npm install onnxruntime-node`, or `pip install onnxruntime` (the names are the same).',
    language: 'js',
    code: [
      "import { InferenceSession, Tensor } from 'onnxruntime-node';",
      '',
      "const session = await InferenceSession.create('model.onnx');",
      'const results = await session.run({',
      `  inputs: new Tensor('${onnxType(given.encoding)}', new ${arrayType(given.encoding)}(${product(sizesOf(given))}), ${list(sizesOf(given))}),`,
      ...(given.variable ? [`  lengths: new Tensor('int32', Int32Array.of(${given.steps}), [1]),`] : []),
      ...(given.series ? ["  series: new Tensor('int32', Int32Array.of(0), [1]),"] : []),
      '});',
      'for (const [name, { dims, data }] of Object.entries(results)) console.log(name, dims, data);',
    ],
  }),
  tfjs: (given) => ({
    needs:
      'In a page, load TensorFlow.js first: `<script src="https://cdn.jsdelivr.net/npm/@tensorflow/tfjs@4"></script>`. The folder must be served over HTTP.',
    language: 'js',
    code: [
      "const model = await tf.loadGraphModel('model.json');",
      'const results = await model.executeAsync({',
      given.encoding.kind === 'tokens'
        ? `  inputs: tf.zeros(${list(sizesOf(given))}, 'int32'),`
        : `  inputs: tf.zeros(${list(sizesOf(given))}),`,
      ...(given.variable ? [`  lengths: tf.tensor1d([${given.steps}], 'int32'),`] : []),
      ...(given.series ? ["  series: tf.tensor1d([0], 'int32'),"] : []),
      '});',
      'model.outputNodes.forEach((name, at) => console.log(name, results[at].arraySync()));',
    ],
  }),
  pytorch: (given) => ({
    needs: 'Needs `pip install torch safetensors`.',
    language: 'python',
    code: [
      'import torch',
      'from model import load',
      '',
      'network = load()',
      given.encoding.kind === 'tokens'
        ? `inputs = torch.zeros(${sizesOf(given).join(', ')}, dtype=torch.long)`
        : `inputs = torch.zeros(${sizesOf(given).join(', ')}${isDouble(given.encoding) ? ', dtype=torch.float64' : ''})`,
      'with torch.no_grad():',
      `    results = network(inputs${given.variable ? `, lengths=torch.tensor([${given.steps}])` : ''}${given.series ? ', series=torch.tensor([0])' : ''})`,
      `print(results["${given.answer}"])`,
    ],
  }),
  safetensors: () => ({
    needs:
      'Needs `pip install safetensors numpy`. `model.json` describes the network; docs/format.md of Unroll explains it.',
    language: 'python',
    code: [
      'import json',
      'from safetensors.numpy import load_file',
      '',
      'model = json.load(open("model.json"))',
      'weights = load_file("weights.safetensors")',
      'print(model["model"]["name"], model["model"]["parameters"])',
      'for name, values in weights.items():',
      '    print(name, values.shape)',
    ],
  }),
};

const list = (values: readonly number[]): string => `[${values.join(', ')}]`;

const product = (values: readonly number[]): number => values.reduce((a, b) => a * b, 1);

const isDouble = ({ kind }: InputEncoding): boolean => kind === 'columns' || kind === 'series';

const onnxType = (encoding: InputEncoding): string =>
  encoding.kind === 'tokens' ? 'int32' : isDouble(encoding) ? 'float64' : 'float32';

const arrayType = (encoding: InputEncoding): string =>
  encoding.kind === 'tokens' ? 'Int32Array' : isDouble(encoding) ? 'Float64Array' : 'Float32Array';

/** Of one example. */
const sizesOf = ({ encoding, steps }: Given): readonly number[] => {
  switch (encoding.kind) {
    case 'tokens':
      return [1, steps];
    case 'columns':
      return [1, steps, encoding.columns.length];
    case 'numbers':
    case 'divided':
    case 'series':
      return [1, steps, encoding.features];
  }
};

/** More names than that are left to `model.json`. */
const mostNames = 20;

const namesText = (model: TrainedModel): readonly string[] => {
  const sentences = Object.entries(axisNames(model)).flatMap(([axis, names]) =>
    names.length > mostNames ? [] : [`The ${axis}, in their order: ${names.map(asCode).join(', ')}.`],
  );
  return sentences.length > 0 ? [sentences.join(' '), ''] : [];
};

/** A name of a file or a user as code, which it does not end. */
const asCode = (name: string): string => `\`${safeLine(JSON.stringify(name)).replaceAll('`', '\\u0060')}\``;

const inputsText = (given: Given): string =>
  [
    inputText(given.encoding),
    ...(given.variable ? ['`lengths` has the number of steps of each sequence.'] : []),
    ...(given.series
      ? ['`series` has the place of each series in `preprocessing.series` of model.json, -1 for another one.']
      : []),
    ...(given.stateful
      ? [
          'In training each sequence began with the state after the one before it (`train.stateful`); here each begins with zeros. Sequences may have any number of steps: give a text as one.',
        ]
      : []),
  ].join(' ');

const inputText = (encoding: InputEncoding): string => {
  switch (encoding.kind) {
    case 'tokens':
      return '`inputs` is `[batch, time]`: tokens by their index in vocabulary.json.';
    case 'numbers':
      return '`inputs` is `[batch, time, features]`.';
    case 'divided':
      return `\`inputs\` is \`[batch, time, features]\`: pixels from 0 to ${encoding.divide}, row by row.`;
    case 'columns':
      return `\`inputs\` is \`[batch, time, columns]\` in the unit of the file, NaN where a value is missing: ${encoding.columns.map(columnText).join('; ')}.`;
    case 'series':
      return '`inputs` is `[batch, time, features]` in the unit of the file, NaN where a value is missing.';
  }
};

const columnText = (column: Extract<InputEncoding, { kind: 'columns' }>['columns'][number]): string =>
  column.kind === 'number'
    ? safeLine(column.name)
    : safeLine(
        `${column.name} (${column.labels.map((label, at) => `${at} = ${label}`).join(', ')}, -1 = another)`,
      );
