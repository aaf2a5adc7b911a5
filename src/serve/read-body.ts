import { isUtf8 } from 'node:buffer';
import { shown } from '../data/columns/cells.ts';
import { DataError } from '../data/dataset.ts';
import { nearest } from '../diagnostic/nearest.ts';
import type { InputKind } from '../prediction/formats.ts';
import { kindsFor, textColumn } from '../prediction/input.ts';
import type { OpenModel } from '../prediction/open-model.ts';
import { parseExactly } from '../system/exact-json.ts';
import { withoutTraces } from '../system/without-traces.ts';
import { inputsQuestion, instancesQuestion, type TensorQuestion } from './read-tensors.ts';
import { isObject } from '../system/json.ts';
import { counted } from '../terminal/format.ts';

/** A parsed request. */
export type Question =
  | { readonly kind: 'tensors'; readonly tensors: TensorQuestion }
  /** Data as in a file. */
  | {
      readonly kind: 'rows';
      readonly input: InputKind;
      readonly content: Uint8Array;
      /** What messages call the data, and each of its lines. */
      readonly name: string;
      readonly line: 'line' | 'row';
      readonly horizon: number | undefined;
    };

export const mediaTypes = {
  json: 'application/json',
  csv: 'text/csv',
  jsonl: 'application/x-ndjson',
  text: 'text/plain',
  png: 'image/png',
} as const;

type BodyKind = keyof typeof mediaTypes;

/** Data fields of the scoring protocol, of which a body has one. */
const dataFields = ['inputs', 'instances', 'dataframe_split', 'dataframe_records'] as const;

const kindOfBody = (mediaType: string): BodyKind =>
  (Object.keys(mediaTypes) as BodyKind[]).find((kind) => mediaTypes[kind] === mediaType) ?? 'json';

/** The media types that a model reads. */
export const mediaTypesFor = (model: OpenModel): readonly string[] => [
  mediaTypes.json,
  ...kindsFor[model.file.preprocessing.kind].flatMap((kind) =>
    kind in mediaTypes ? [mediaTypes[kind as BodyKind]] : [],
  ),
];

/** Reads a body. Throws `DataError` for what is wrong with it. */
export const readQuestion = (model: OpenModel, mediaType: string, body: Uint8Array): Question => {
  const kind = kindOfBody(mediaType);
  if (kind === 'png') {
    // A valid image of this size cannot be larger, and what is larger may unpack to gigabytes.
    const { preprocessing } = model.file;
    const most =
      preprocessing.kind === 'pixels' ? 65_536 + preprocessing.height * (8 * preprocessing.width + 1) : 0;
    if (body.length > most)
      throw new DataError({
        path: 'body',
        message: `The image has ${counted(body.length, 'byte')}.`,
        expected: `at most ${most} bytes`,
        help: 'Save the image without metadata.',
      });
    return fileQuestion('png', body);
  }
  if (!isUtf8(body))
    throw new DataError({
      path: 'body',
      message: 'The body is not UTF-8 text.',
      expected: 'UTF-8',
      help: 'Encode the body as UTF-8, uncompressed.',
    });
  return kind === 'json' ? jsonQuestion(model, body) : fileQuestion(kind, body);
};

const fileQuestion = (input: InputKind, content: Uint8Array): Question => {
  if (content.length === 0)
    throw new DataError({
      path: 'body',
      message: 'The body is empty.',
      expected: `data as ${input}`,
      help: 'Send the data as the body of the request.',
    });
  return { kind: 'rows', input, content, name: 'the body', line: 'line', horizon: undefined };
};

const protocolHelp =
  'Write for example {"inputs": [...]} or {"dataframe_split": {"columns": [...], "data": [...]}}.';

const jsonQuestion = (model: OpenModel, body: Uint8Array): Question => {
  const text = new TextDecoder().decode(body);
  const fields = fieldsOf(text);
  const given = dataFields.filter((field) => Object.hasOwn(fields, field));
  const unknown = Object.keys(fields).find(
    (field) => field !== 'params' && !given.includes(field as 'inputs'),
  );
  const [field] = given;
  if (unknown !== undefined) {
    const near = nearest(unknown, [...dataFields, 'params']);
    throw new DataError({
      path: 'body',
      message: `The body has an unknown field ${shown(unknown)}.`,
      expected: `one of ${dataFields.join(', ')}, and params`,
      help: near === undefined ? protocolHelp : `Did you mean ${near}?`,
    });
  }
  if (field === undefined || given.length > 1)
    throw new DataError({
      path: 'body',
      message: field === undefined ? 'The body has no data.' : `The body has ${given.join(' and ')}.`,
      expected: `exactly one of ${dataFields.join(', ')}`,
      help: field === undefined ? protocolHelp : 'Send them as two requests.',
    });
  const value = fields[field];
  const horizon = horizonIn(fields['params']);
  switch (field) {
    case 'inputs':
    case 'instances': {
      const texts = textQuestion(model, field, value);
      if (texts) return { ...texts, horizon };
      if (horizon !== undefined)
        throw new DataError({
          path: 'params',
          message: `\`params.horizon\` cannot be used with ${field}.`,
          expected: 'dataframe_split, dataframe_records or a body of text/csv',
          help: `Leave out params, or send the rows of the series instead of ${field}.`,
        });
      return {
        kind: 'tensors',
        tensors: (field === 'inputs' ? inputsQuestion : instancesQuestion)(model.file, value),
      };
    }
    case 'dataframe_split':
    case 'dataframe_records': {
      const { [field]: rows } = parseExactly(text, fields);
      const records = field === 'dataframe_split' ? splitRecords(rows) : checkedRecords(rows);
      return recordsQuestion(model, field, { records, horizon });
    }
  }
};

const fieldsOf = (text: string): Readonly<Record<string, unknown>> => {
  let value: unknown;
  try {
    value = withoutTraces(() => JSON.parse(text) as unknown);
  } catch (error) {
    throw new DataError({
      path: 'body',
      message: `The body is not valid JSON: ${error instanceof Error ? error.message : String(error)}.`,
      expected: 'a JSON object',
      help: protocolHelp,
    });
  }
  if (isObject(value)) return value;
  throw new DataError({
    path: 'body',
    message: `The body is ${shown(value)}.`,
    expected: 'a JSON object',
    help: protocolHelp,
  });
};

const mostHorizon = 10_000;

const horizonIn = (params: unknown): number | undefined => {
  if (params === undefined || params === null) return undefined;
  const wrong = (message: string, help: string) =>
    new DataError({
      path: 'params',
      message,
      expected: `{"horizon": a whole number from 1 to ${mostHorizon}}`,
      help,
    });
  if (typeof params !== 'object' || Array.isArray(params))
    throw wrong(`\`params\` is ${shown(params)}.`, 'Leave it out, or give it as an object.');
  const unknown = Object.keys(params).find((name) => name !== 'horizon');
  if (unknown !== undefined) {
    const near = nearest(unknown, ['horizon']);
    throw wrong(
      `\`params\` has an unknown field ${shown(unknown)}.`,
      near === undefined ? 'Leave it out.' : `Did you mean ${near}?`,
    );
  }
  const { horizon } = params as { readonly horizon?: unknown };
  if (horizon === undefined) return undefined;
  if (typeof horizon === 'number' && Number.isInteger(horizon) && horizon >= 1 && horizon <= mostHorizon)
    return horizon;
  throw wrong(`\`params.horizon\` is ${shown(horizon)}.`, 'Give the number of steps to forecast.');
};

/** Texts instead of tokens: strings, or lists of words of a model that reads sentences. */
const textQuestion = (
  model: OpenModel,
  field: string,
  value: unknown,
): Extract<Question, { kind: 'rows' }> | undefined => {
  const { preprocessing, dataset } = model.file;
  const isText = (one: unknown): boolean =>
    typeof one === 'string' ||
    (Array.isArray(one) && one.length > 0 && one.every((word) => typeof word === 'string'));
  const texts: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (texts.length === 0 || !texts.every(isText)) return undefined;
  const rows = { kind: 'rows', name: field, line: 'row', horizon: undefined } as const;
  if (preprocessing.kind === 'text') {
    const column = textColumn(dataset);
    return { ...rows, input: 'jsonl', content: linesOf(texts.map((text) => ({ [column]: text }))) };
  }
  const [only] = texts;
  if (preprocessing.kind !== 'stream' || typeof only !== 'string') return undefined;
  if (texts.length === 1) return { ...rows, input: 'text', line: 'line', content: Buffer.from(only) };
  throw new DataError({
    path: field,
    message: `\`${field}\` has ${texts.length} texts, and the model reads one.`,
    expected: 'one text',
    help: 'Send each text as a request of its own.',
  });
};

const recordsQuestion = (
  model: OpenModel,
  field: string,
  { records, horizon }: { readonly records: readonly object[]; readonly horizon: number | undefined },
): Question => {
  const { kind } = model.file.preprocessing;
  if (!kindsFor[kind].includes('jsonl'))
    throw new DataError({
      path: field,
      message: `A model of ${kind === 'pixels' ? 'images' : 'one long text'} does not read \`${field}\`.`,
      expected:
        kind === 'pixels' ? 'inputs, or a body of image/png' : 'inputs with a text, or a body of text/plain',
      help: kind === 'pixels' ? 'Send the pixels as `inputs`.' : 'Write {"inputs": ["a text"]}.',
    });
  return { kind: 'rows', input: 'jsonl', content: linesOf(records), name: field, line: 'row', horizon };
};

const linesOf = (records: readonly object[]): Uint8Array =>
  Buffer.from(records.map((record) => `${JSON.stringify(record)}\n`).join(''));

const checkedRecords = (value: unknown): readonly object[] => {
  const expected = 'a list of objects, one for each row, such as [{"x": 1.5}]';
  const wrong = (where: string, found: unknown) =>
    new DataError({
      path: 'dataframe_records',
      message: `${where} is ${shown(found)}.`,
      expected,
      help: 'Give each row as an object with its columns.',
    });
  if (!Array.isArray(value) || value.length === 0) throw wrong('`dataframe_records`', value);
  const at = value.findIndex((row: unknown) => !isObject(row));
  if (at !== -1) throw wrong(`Row ${at + 1} of dataframe_records`, value[at]);
  return value as readonly object[];
};

const isNames = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.length > 0 && value.every((one) => typeof one === 'string');

const splitRecords = (value: unknown): readonly object[] => {
  const wrong = (message: string, expected: string, help: string) =>
    new DataError({ path: 'dataframe_split', message, expected, help });
  const example = 'Write for example {"columns": ["x", "y"], "data": [[1, 2], [3, 4]]}.';
  if (!isObject(value))
    throw wrong(`\`dataframe_split\` is ${shown(value)}.`, 'an object with columns and data', example);
  const known = ['columns', 'data', 'index'];
  const unknown = Object.keys(value).find((name) => !known.includes(name));
  if (unknown !== undefined) {
    const near = nearest(unknown, known);
    throw wrong(
      `\`dataframe_split\` has an unknown field ${shown(unknown)}.`,
      known.join(', '),
      near === undefined ? example : `Did you mean ${near}?`,
    );
  }
  const { columns, data } = value as { readonly columns?: unknown; readonly data?: unknown };
  if (!isNames(columns))
    throw wrong(`\`dataframe_split.columns\` is ${shown(columns)}.`, 'a list of names', example);
  const seen = new Set<string>();
  const repeated = columns.find((name) => seen.size === seen.add(name).size);
  if (repeated !== undefined)
    throw wrong(
      `\`dataframe_split.columns\` has ${shown(repeated)} twice.`,
      'each name once',
      'Remove one of them.',
    );
  if (!Array.isArray(data) || data.length === 0)
    throw wrong(`\`dataframe_split.data\` is ${shown(data)}.`, 'a list of rows', example);
  return data.map((row: unknown, at) => {
    if (Array.isArray(row) && row.length === columns.length)
      return Object.fromEntries(columns.map((name: string, column) => [name, row[column] as unknown]));
    throw wrong(
      `Row ${at + 1} of dataframe_split ${Array.isArray(row) ? `has ${counted(row.length, 'value')}` : `is ${shown(row)}`}.`,
      `a list of ${counted(columns.length, 'value')}: ${columns.join(', ')}`,
      'Give each row one value for each column, null for a missing one.',
    );
  });
};
