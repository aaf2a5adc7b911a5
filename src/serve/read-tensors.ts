import { shown } from '../data/columns/cells.ts';
import { DataError } from '../data/dataset.ts';
import { nearest } from '../diagnostic/nearest.ts';
import { inputEncodingOf, type InputEncoding } from '../export/inputs.ts';
import { onnxPorts } from '../export/onnx/to-onnx.ts';
import type { TrainedModel } from '../export/trained-model.ts';
import type { Sequences } from './batcher.ts';
import { rawWidth, stepEncoder } from './encode-tensor.ts';
import { isObject } from '../system/json.ts';
import { counted } from '../terminal/format.ts';

/** What a request gives as tensors, encoded as the network reads it. */
export interface TensorQuestion {
  readonly sequences: Sequences;
  /** The place of each sequence's series, -1 for another one. */
  readonly series: Int32Array;
  /** Whether the sequences were given in different lengths, instead of padded. */
  readonly isRagged: boolean;
}

/** Longer sequences would delay other requests. */
const mostSteps = ({ shape }: TrainedModel): number => Math.max(10_000, 10 * shape.steps);

/** Padding must not turn a small body into gigabytes. */
const mostNumbers = 20_000_000;

/** Where a value is in the body: `inputs[3][0][27]`. */
const at = (path: string, ...indices: readonly number[]): string =>
  `${path}${indices.map((index) => `[${index}]`).join('')}`;

const wrong = (path: string, found: string, expected: string, help: string): DataError =>
  new DataError({ path, message: `\`${path}\` ${found}.`, expected, help });

/** Reads `inputs`: the tensors of `model.onnx` by their names, or the one that is named so alone. Throws `DataError`. */
export const inputsQuestion = (model: TrainedModel, given: unknown): TensorQuestion => {
  if (Array.isArray(given)) return question(model, { inputs: given, path: 'inputs' });
  if (typeof given !== 'object' || given === null)
    throw wrong(
      'inputs',
      `is ${shown(given)}`,
      `${shapeText(model)}, or an object with it`,
      exampleHelp(model),
    );
  checkNames(model, Object.keys(given), 'inputs');
  const { inputs, lengths, series } = given as Readonly<Record<string, unknown>>;
  return question(model, { inputs, lengths, series, path: 'inputs.inputs', besides: 'inputs.' });
};

/** Reads `instances`: the same example by example. Throws `DataError`. */
export const instancesQuestion = (model: TrainedModel, given: unknown): TensorQuestion => {
  if (!Array.isArray(given) || given.length === 0)
    throw wrong('instances', `is ${shown(given)}`, 'a list with at least one example', exampleHelp(model));
  if (!given.some(isObject)) return question(model, { inputs: given, path: 'instances' });
  const names = new Set<string>();
  given.forEach((one: unknown, index) => {
    if (!isObject(one))
      throw wrong(
        at('instances', index),
        `is ${shown(one)}`,
        'an object, as the others are',
        exampleHelp(model),
      );
    checkNames(model, Object.keys(one), at('instances', index));
    for (const name of Object.keys(one)) names.add(name);
  });
  const all = (name: string) =>
    names.has(name) ? given.map((one: Readonly<Record<string, unknown>>) => one[name]) : undefined;
  return question(model, {
    ...{ inputs: all('inputs'), lengths: all('lengths'), series: all('series') },
    ...{ path: 'instances[].inputs', besides: 'instances[].' },
  });
};

const checkNames = (model: TrainedModel, names: readonly string[], path: string): void => {
  const known = onnxPorts(model).inputs.map(({ name }) => name);
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined) {
    const near = nearest(unknown, known);
    throw wrong(
      path,
      `has an unknown tensor ${shown(unknown)}`,
      known.join(', '),
      near === undefined ? exampleHelp(model) : `Did you mean ${near}?`,
    );
  }
  if (!names.includes('inputs'))
    throw wrong(path, 'has no tensor "inputs"', shapeText(model), exampleHelp(model));
};

interface Given {
  readonly inputs: unknown;
  readonly lengths?: unknown;
  readonly series?: unknown;
  /** Of `inputs`, for messages. */
  readonly path: string;
  /** Before the names of the other tensors. */
  readonly besides?: string;
}

const question = (model: TrainedModel, given: Given): TensorQuestion => {
  const { path, besides = '' } = given;
  const { shape } = model;
  const encoding = inputEncodingOf(model);
  if (!Array.isArray(given.inputs) || given.inputs.length === 0)
    throw wrong(path, `is ${shown(given.inputs)}`, shapeText(model), exampleHelp(model));
  const rows = given.inputs as readonly unknown[];
  const stepLists = rows.map((row, index) => {
    if (!Array.isArray(row) || row.length === 0)
      throw wrong(
        at(path, index),
        `is ${shown(row)}`,
        `a list of steps: ${shapeText(model)}`,
        exampleHelp(model),
      );
    checkSteps(model, row.length, at(path, index));
    return row as readonly unknown[];
  });
  const steps = stepLists.reduce((longest, { length }) => Math.max(longest, length), 0);
  const size = rows.length;
  const isRagged = stepLists.some(({ length }) => length !== steps);
  const width = shape.input.kind === 'values' ? shape.input.features : 1;
  if (size * steps * width > mostNumbers)
    throw wrong(
      path,
      `has ${counted(size, 'sequence')} of up to ${counted(steps, 'step')}`,
      `at most ${mostNumbers} numbers after padding`,
      'Send fewer sequences at once, and long ones apart from short ones.',
    );
  const lengths = lengthsIn(model, given.lengths, { steps: stepLists, path: `${besides}lengths`, isRagged });
  const series = seriesIn(model, given.series, { size, path: `${besides}series` });
  const sequences = {
    size,
    steps,
    lengths,
    inputs: encoded(model, encoding, { stepLists, steps, lengths, series, path }),
  };
  return { sequences, series, isRagged };
};

const checkSteps = (model: TrainedModel, steps: number, path: string): void => {
  const { shape } = model;
  if (!shape.variableLength && steps !== shape.steps)
    throw wrong(
      path,
      `has ${counted(steps, 'step')}, and every sequence of the training had ${shape.steps}`,
      shapeText(model),
      exampleHelp(model),
    );
  if (steps > mostSteps(model))
    throw wrong(
      path,
      `has ${steps} steps`,
      `at most ${mostSteps(model)} steps`,
      'Predict a file with the command predict.',
    );
};

const lengthsIn = (
  { shape }: TrainedModel,
  given: unknown,
  {
    steps,
    path,
    isRagged,
  }: { readonly steps: readonly (readonly unknown[])[]; readonly path: string; readonly isRagged: boolean },
): Int32Array => {
  const own = Int32Array.from(steps, ({ length }) => length);
  if (given === undefined || !shape.variableLength) return own;
  const expected = `a list of ${counted(steps.length, 'whole number')}, from 1 to the steps of each sequence`;
  const help = isRagged
    ? 'Leave it out: the sequences have different lengths themselves.'
    : 'Give the number of steps of each sequence before its padding, or leave it out.';
  if (!Array.isArray(given) || given.length !== steps.length)
    throw wrong(
      path,
      Array.isArray(given) ? `has ${counted(given.length, 'number')}` : `is ${shown(given)}`,
      expected,
      help,
    );
  return Int32Array.from(given as readonly unknown[], (length, index) => {
    const most = own[index] as number;
    if (typeof length === 'number' && Number.isInteger(length) && length >= 1 && length <= most)
      return length;
    throw wrong(at(path, index), `is ${shown(length)}`, `a whole number from 1 to ${most}`, help);
  });
};

const seriesIn = (
  model: TrainedModel,
  given: unknown,
  { size, path }: { readonly size: number; readonly path: string },
): Int32Array => {
  const unlisted = new Int32Array(size).fill(-1);
  const { preprocessing } = model;
  if (preprocessing.kind !== 'series') return unlisted;
  if (given === undefined) return preprocessing.series.length === 1 ? new Int32Array(size) : unlisted;
  const names = preprocessing.series.map(({ name }) => name);
  const expected = `${counted(size, 'place')} of a series from 0 to ${names.length - 1}, -1 for another one`;
  const help = 'The places are those of `preprocessing.series` in model.json.';
  if (!Array.isArray(given) || given.length !== size)
    throw wrong(
      path,
      Array.isArray(given) ? `has ${counted(given.length, 'number')}` : `is ${shown(given)}`,
      expected,
      help,
    );
  return Int32Array.from(given as readonly unknown[], (place, index) => {
    if (typeof place === 'number' && Number.isInteger(place) && place >= -1 && place < names.length)
      return place;
    throw wrong(at(path, index), `is ${shown(place)}`, expected, help);
  });
};

const encoded = (
  model: TrainedModel,
  encoding: InputEncoding,
  given: {
    readonly stepLists: readonly (readonly unknown[])[];
    readonly steps: number;
    readonly lengths: Int32Array;
    readonly series: Int32Array;
    readonly path: string;
  },
): Float32Array | Int32Array => {
  const { stepLists, steps, lengths, series, path } = given;
  if (encoding.kind === 'tokens') {
    const { vocabulary } = encoding;
    const tokens = new Int32Array(stepLists.length * steps);
    stepLists.forEach((list, row) => {
      list.forEach((token, step) => {
        if (typeof token !== 'number' || !Number.isInteger(token) || token < 0 || token >= vocabulary)
          throw wrong(
            at(path, row, step),
            `is ${shown(token)}`,
            `a token: a whole number from 0 to ${vocabulary - 1}`,
            'Give tokens by their index in vocabulary.json, or texts in `dataframe_records`.',
          );
        if (step < (lengths[row] as number)) tokens[row * steps + step] = token;
      });
    });
    return tokens;
  }
  const { input } = model.shape;
  const width = input.kind === 'values' ? input.features : 1;
  const rawCount = rawWidth(encoding);
  const encode = stepEncoder(encoding);
  const read = numberReader(encoding);
  const inputs = new Float32Array(stepLists.length * steps * width);
  const raw = new Float64Array(rawCount);
  stepLists.forEach((list, row) => {
    list.forEach((step, index) => {
      if (!Array.isArray(step) || step.length !== rawCount)
        throw wrong(
          at(path, row, index),
          Array.isArray(step) ? `has ${counted(step.length, 'number')}` : `is ${shown(step)}`,
          `a list of ${counted(rawCount, 'number')}: ${shapeText(model)}`,
          exampleHelp(model),
        );
      for (let feature = 0; feature < rawCount; feature++) {
        const value: unknown = step[feature];
        const number = read(value, feature);
        if (number === undefined)
          throw wrong(at(path, row, index, feature), `is ${shown(value)}`, read.expected(feature), read.help);
        raw[feature] = number;
      }
      if (index < (lengths[row] as number))
        encode(raw, series[row] as number, inputs, (row * steps + index) * width);
    });
  });
  return inputs;
};

type NumberReader = ((value: unknown, feature: number) => number | undefined) & {
  readonly expected: (feature: number) => string;
  readonly help: string;
};

const largestFloat32 = 3.4028234663852886e38;

const isFloat32 = (value: unknown): value is number =>
  typeof value === 'number' && Math.abs(value) <= largestFloat32;

const numberReader = (encoding: Exclude<InputEncoding, { kind: 'tokens' }>): NumberReader => {
  const orMissing = (value: unknown) => (value === null ? Number.NaN : isFloat32(value) ? value : undefined);
  const missingHelp = 'Write null where a number is missing.';
  switch (encoding.kind) {
    case 'numbers':
      return Object.assign((value: unknown) => (isFloat32(value) ? value : undefined), {
        expected: () => 'a number (float32)',
        help: 'Give the numbers as the network reads them.',
      });
    case 'divided':
      return Object.assign(
        (value: unknown) => (isFloat32(value) && value >= 0 && value <= encoding.divide ? value : undefined),
        {
          expected: () => `a pixel from 0 to ${encoding.divide}`,
          help: 'Give the pixels as they are in the image.',
        },
      );
    case 'columns': {
      const { columns } = encoding;
      const isLabel = (value: unknown, feature: number) => {
        const column = columns[feature];
        return (
          column === undefined ||
          column.kind === 'number' ||
          value === null ||
          (Number.isInteger(value) && (value as number) >= -1 && (value as number) < column.labels.length)
        );
      };
      return Object.assign(
        (value: unknown, feature: number) => (isLabel(value, feature) ? orMissing(value) : undefined),
        {
          expected: (feature: number) => {
            const column = columns[feature];
            return column === undefined || column.kind === 'number'
              ? `a number of the column ${column?.name ?? ''}, or null`
              : `the place of a label of the column ${column.name}, from 0 to ${column.labels.length - 1}, or -1`;
          },
          help: missingHelp,
        },
      );
    }
    case 'series':
      return Object.assign(orMissing, {
        expected: () => 'a number in the unit of the file, or null',
        help: missingHelp,
      });
  }
};

/** The shape of the tensor `inputs`, for people: `numbers of the shape [examples, 28, 28]`. */
export const shapeText = (model: TrainedModel): string => {
  const { shape } = model;
  const encoding = inputEncodingOf(model);
  const time = shape.variableLength ? `up to ${counted(shape.steps, 'step')}` : String(shape.steps);
  return encoding.kind === 'tokens'
    ? `tokens of the shape [examples, ${time}]`
    : `numbers of the shape [examples, ${time}, ${rawWidth(encoding)}]`;
};

const exampleHelp = (model: TrainedModel): string =>
  inputEncodingOf(model).kind === 'tokens'
    ? 'Write for example {"inputs": [[5, 3, 8]]}, one list of tokens for each example.'
    : 'Write for example {"inputs": [[[0, 1], [2, 3]]]}: a list of examples, each a list of steps, each a list of numbers.';
