import { allocateBatch, DataError, type SequenceShape } from '../dataset.ts';
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

/**
 * Reads text of any size and passes its sequences on, each as long as those of the training and the last one shorter; the
 * targets are the next tokens. The last token of the text has no next one: it is read only `toTheEnd`, with target 0.
 */
export const readStreamExamples = async (
  file: DataFile,
  reading: StreamReading,
  { take, toTheEnd }: { readonly take: TakeExamples; readonly toTheEnd: boolean },
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
    take({ batch, shape: wide, id: (row) => String(first + row) });
    before += rows;
    rows = 0;
  };
  const put = (tokens: readonly number[], length: number) => {
    for (let at = 0; at < length; at++) {
      batch.inputs[rows * length + at] = tokens[at] as number;
      batch.targets[rows * length + at] = tokens[at + 1] ?? 0;
    }
    batch.lengths[rows++] = length;
  };
  for await (const piece of format.split(file)) {
    for (const token of piece) ahead.push(indexOf(token));
    let from = 0;
    for (; ahead.length - from > steps; from += steps) {
      put(ahead.slice(from, from + steps + 1), steps);
      if (rows === examplesAtOnce) hand(shape);
    }
    ahead = ahead.slice(from);
  }
  if (rows > 0) hand(shape);
  const rest = toTheEnd ? ahead.length : ahead.length - 1;
  if (rest > 0) {
    put(ahead, rest);
    hand({ ...shape, steps: rest });
  }
  if (before === 0) {
    throw new DataError({
      path: 'input',
      message: `${file.name} has no ${format.unit}s to predict from.`,
      expected: `a text with at least ${toTheEnd ? 1 : 2} ${format.unit}s`,
      help: 'Name another file.',
    });
  }
};
