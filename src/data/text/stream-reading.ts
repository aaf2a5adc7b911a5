import { evaluationOrder } from '../batches.ts';
import { allocateBatch, DataError, type Batch, type SequenceShape } from '../dataset.ts';
import { examplesAtOnce, type TakeExamples } from '../example-batch.ts';
import type { DataFile } from '../files.ts';
import type { StreamFormat } from './stream.ts';

/** How other texts become sequences of tokens. */
export interface StreamReading {
  readonly format: StreamFormat;
  readonly shape: SequenceShape;
  readonly vocabulary: readonly string[];
  /** The index of tokens that the vocabulary does not have; null where each must be in it. */
  readonly unknown: number | null;
}

/** Gives the index of a token. Throws `DataError` for one that must be in the vocabulary; `name` is what messages call the text. */
export const tokenIndex = (
  { vocabulary, unknown, format: { unit } }: StreamReading,
  name: string,
): ((token: string) => number) => {
  const places = new Map(vocabulary.map((token, at) => [token, at]));
  let line = 1;
  return (token) => {
    const place = places.get(token) ?? unknown;
    if (token === '\n') line++;
    if (place !== null) return place;
    throw new DataError({
      path: 'input',
      message: `${name}:${line} has the ${unit} ${JSON.stringify(token)}, which the model was not trained on.`,
      expected: `one of the ${vocabulary.length} ${unit}s of vocabulary.json`,
      help: `Remove it, or replace it with a ${unit} of the training text.`,
    });
  };
};

interface Reading {
  readonly take: TakeExamples;
  readonly toTheEnd: boolean;
}

/**
 * Reads text of any size and passes its sequences on, each as long as those of the training and the last one shorter; the
 * targets are the next tokens. The last token of the text has no next one: it is read only `toTheEnd`, with target 0.
 */
export const readStreamExamples = async (
  file: DataFile,
  reading: StreamReading,
  { take, toTheEnd }: Reading,
): Promise<void> => {
  const { format, shape } = reading;
  const { steps } = shape;
  const indexOf = tokenIndex(reading, file.name);
  const batch = allocateBatch(shape, examplesAtOnce);
  let ahead: number[] = [];
  let before = 0;
  let rows = 0;
  const hand = (wide: SequenceShape) => {
    batch.size = rows;
    const first = before;
    take({ batch, shape: wide, id: (row) => String(first + row), begins: first === 0 });
    before += rows;
    rows = 0;
  };
  for await (const piece of format.split(file)) {
    for (const token of piece) ahead.push(indexOf(token));
    let from = 0;
    for (; ahead.length - from > steps; from += steps) {
      putTokens(batch, rows++, { tokens: ahead.slice(from, from + steps + 1), length: steps });
      if (rows === examplesAtOnce) hand(shape);
    }
    ahead = ahead.slice(from);
  }
  if (rows > 0) hand(shape);
  const rest = toTheEnd ? ahead.length : ahead.length - 1;
  if (rest > 0) {
    putTokens(batch, rows++, { tokens: ahead, length: rest });
    hand({ ...shape, steps: rest });
  }
  if (before === 0) throw tooShort(file, reading, toTheEnd ? 1 : 2);
};

/**
 * Reads tokens with their targets in the streams of an evaluation, as `train.stateful` lays its parts out; for that its tokens
 * are kept in memory. A last shorter sequence begins anew.
 */
export const readInStreams = async (
  file: DataFile,
  reading: StreamReading,
  take: TakeExamples,
): Promise<void> => {
  const { shape } = reading;
  const { steps } = shape;
  const tokens = await allTokens(file, reading);
  if (tokens.length < 2) throw tooShort(file, reading, 2);
  const sequences = Math.floor((tokens.length - 1) / steps);
  const batch = allocateBatch(shape, examplesAtOnce);
  const streams = evaluationOrder(sequences, true);
  for (let step = 1; step <= streams.steps; step++) {
    const indices = streams.order(step);
    indices.forEach((index, row) => {
      putTokens(batch, row, { tokens: tokens.subarray(index * steps), length: steps });
    });
    batch.size = indices.length;
    take({ batch, shape, id: (row) => String(indices[row]), begins: step === 1 });
  }
  const rest = tokens.subarray(sequences * steps);
  if (rest.length < 2) return;
  putTokens(batch, 0, { tokens: rest, length: rest.length - 1 });
  batch.size = 1;
  take({ batch, shape: { ...shape, steps: rest.length - 1 }, id: () => String(sequences), begins: true });
};

/** Writes a sequence into a row, and as its targets the tokens after each. */
const putTokens = (
  { inputs, targets, lengths }: Batch,
  row: number,
  { tokens, length }: { readonly tokens: ArrayLike<number>; readonly length: number },
): void => {
  for (let at = 0; at < length; at++) {
    inputs[row * length + at] = tokens[at] as number;
    targets[row * length + at] = tokens[at + 1] ?? 0;
  }
  lengths[row] = length;
};

const allTokens = async (file: DataFile, reading: StreamReading): Promise<Int32Array> => {
  const indexOf = tokenIndex(reading, file.name);
  let tokens = new Int32Array(1 << 16);
  let count = 0;
  for await (const piece of reading.format.split(file)) {
    if (count + piece.length > tokens.length) {
      const larger = new Int32Array(2 * (count + piece.length));
      larger.set(tokens);
      tokens = larger;
    }
    for (const token of piece) tokens[count++] = indexOf(token);
  }
  return tokens.subarray(0, count);
};

const tooShort = (file: DataFile, { format }: StreamReading, least: 1 | 2): DataError =>
  new DataError({
    path: 'input',
    message: `${file.name} has no ${format.unit}s to predict from.`,
    expected: `a text with at least ${least} ${format.unit}s`,
    help: 'Name another file.',
  });
