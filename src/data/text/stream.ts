import { closeSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readFully, writeFully, readRegularText, openRegular, openToWrite } from '../../system/files.ts';
import type { ParameterIssue } from '../../parameters/row.ts';
import { DataError, type DataContext, type Dataset, type SequenceShape, type Split } from '../dataset.ts';
import { countsOf, describeShape } from '../describe.ts';
import type { DataInspection, PartDescription } from '../description.ts';
import { fileDigest, findDataFile, type DataFile } from '../files.ts';
import { singleClass } from '../inspect.ts';
import { packedFolder } from '../packed-folder.ts';

/** The parameters of a dataset that cuts one long text into sequences. */
export interface StreamParameters {
  readonly file: string;
  readonly length: number;
  readonly stride: number | null;
  readonly validationFraction: number;
  readonly testFraction: number;
  readonly tokenizer?: string | null;
}

/** How one long text is split, and what its vocabulary is. */
export interface StreamFormat {
  readonly chosen: StreamParameters;
  /** What decides how the file is split. */
  readonly key: readonly unknown[];
  /** The tokens of a file, piece by piece. */
  readonly split: (file: DataFile) => AsyncIterable<readonly string[]>;
  /** What messages call a token. */
  readonly unit: string;
  /** The vocabulary, given the tokens of the file as they come, and how often each is in the training part. */
  readonly vocabularyOf: (texts: readonly string[], counts: () => Float64Array) => readonly string[];
  /** The index in the vocabulary of each token of the file. */
  readonly indicesIn: (vocabulary: readonly string[], texts: readonly string[]) => Int32Array;
  /** The index of the token for everything that the vocabulary lacks. */
  readonly unknown?: number;
}

/** The tokens of a file: `tokens.bin` holds a number for each, its index in `alphabet`. */
interface TokenDescription {
  readonly alphabet: readonly string[];
  readonly count: number;
}

/** An opened text. */
interface Stream extends TokenDescription {
  readonly path: string;
  readonly parts: ReturnType<typeof streamParts>;
  readonly vocabulary: readonly string[];
  readonly classes: Int32Array;
  readonly shape: SequenceShape;
}

const openStream = async (format: StreamFormat, context: DataContext): Promise<Stream> => {
  const { chosen } = format;
  const file = await findDataFile(chosen.file, context, 'file');
  const folder = await packedFolder([...format.key, await fileDigest(file)], (into) =>
    writeTokens(format.split(file), into),
  );
  const { alphabet, count } = JSON.parse(readRegularText(join(folder, 'alphabet.json'))) as TokenDescription;
  const path = join(folder, 'tokens.bin');
  const parts = streamParts(format, count);
  const vocabulary = format.vocabularyOf(alphabet, () =>
    countTokens(tokenWindow(path, count), alphabet.length, parts.train),
  );
  const classes = format.indicesIn(vocabulary, alphabet);
  const shape: SequenceShape = {
    steps: chosen.length,
    input: { kind: 'tokens', vocabulary: vocabulary.length },
    variableLength: false,
    task: { kind: 'next-step', classes: vocabulary.length, labels: vocabulary },
  };
  return { alphabet, count, path, parts, vocabulary, classes, shape };
};

const writeTokens = async (pieces: AsyncIterable<readonly string[]>, folder: string): Promise<void> => {
  const seen = new Map<string, number>();
  const output = openToWrite(join(folder, 'tokens.bin'));
  let count = 0;
  /** Tokens are numbered as they come. */
  const numberOf = (text: string): number => {
    const known = seen.get(text) ?? seen.size;
    if (known === seen.size) seen.set(text, known);
    return known;
  };
  try {
    for await (const piece of pieces) {
      const tokens = Uint32Array.from(piece, numberOf);
      writeFully(output, new Uint8Array(tokens.buffer));
      count += tokens.length;
    }
  } finally {
    closeSync(output);
  }
  const description: TokenDescription = { alphabet: [...seen.keys()], count };
  writeFileSync(join(folder, 'alphabet.json'), JSON.stringify(description));
};

/** The shape of the sequences; reads the text once, then it is in the cache. */
export const streamShape = async (format: StreamFormat, context: DataContext): Promise<SequenceShape> =>
  (await openStream(format, context)).shape;

/** The tokens by index. */
export const streamVocabulary = async (
  format: StreamFormat,
  context: DataContext,
): Promise<readonly string[]> => (await openStream(format, context)).vocabulary;

export const loadStream = async (format: StreamFormat, context: DataContext): Promise<Dataset> => {
  const { path, count, classes, shape, parts, vocabulary } = await openStream(format, context);
  const { chosen } = format;
  const window = tokenWindow(path, count);
  const stride = strideOf(chosen);
  const split = ({ from, sequences }: StreamPart): Split => ({
    size: sequences,
    read: streamReader({ window, classes, length: chosen.length, startOf: (index) => from + index * stride }),
  });
  const { train, validation, test } = parts;
  return {
    shape,
    vocabulary,
    preprocessing: {
      kind: 'stream',
      unknown: format.unknown ?? null,
      tokenizer: typeof chosen.tokenizer === 'string',
    },
    train: split(train),
    ...(validation.sequences > 0 && { validation: split(validation) }),
    test: split(test),
  };
};

/** Tokens `[from, to)` of the file, and how many sequences they make. */
interface StreamPart {
  readonly from: number;
  readonly to: number;
  readonly sequences: number;
}

const strideOf = ({ stride, length }: StreamParameters): number => stride ?? length;

/** The parts of a file of `count` tokens. Throws `DataError` where it is too short. */
const streamParts = ({ chosen, unit }: StreamFormat, count: number) => {
  const { length, validationFraction, testFraction } = chosen;
  const testStart = count - Math.round(count * testFraction);
  const validationStart = testStart - Math.round(count * validationFraction);
  const part = (from: number, to: number): StreamPart => ({
    from,
    to,
    // The last token of a sequence has a next one within the part.
    sequences: Math.max(0, Math.floor((to - from - 1 - length) / strideOf(chosen)) + 1),
  });
  const parts = {
    train: part(0, validationStart),
    validation: part(validationStart, testStart),
    test: part(testStart, count),
  };
  const short = (['train', 'test'] as const).filter((name) => parts[name].sequences === 0);
  if (short.length > 0) {
    const sizes = short.map((name) => {
      const size = parts[name].to - parts[name].from;
      return `${size} for the ${name === 'train' ? 'training' : name} part`;
    });
    const message = `${chosen.file} has ${countedTokens(count, unit)}, which leaves ${sizes.join(' and ')}: too few for sequences of ${length}.`;
    const expected = `at least ${length + 1} ${unit}s in each of these parts`;
    const help = 'Lower `length`, use a longer text, or change `validationFraction` and `testFraction`.';
    throw new DataError({
      path: 'length',
      message,
      expected,
      got: `${countedTokens(count, unit)} in the whole text`,
      help,
    });
  }
  return parts;
};

const countedTokens = (count: number, unit: string): string => `${count} ${count === 1 ? unit : `${unit}s`}`;

/** Describes and checks the file without cutting it into sequences. */
export const inspectStream = async (format: StreamFormat, context: DataContext): Promise<DataInspection> => {
  const { alphabet, parts, vocabulary, classes, shape, path, count } = await openStream(format, context);
  const { chosen, unknown } = format;
  if (alphabet.length === 1) throw singleClass({ path: 'file', what: chosen.file, label: alphabet[0] ?? '' });
  const window = tokenWindow(path, count);
  const { length, validationFraction } = chosen;
  const described = (part: StreamPart): PartDescription => {
    const counts = new Float64Array(vocabulary.length);
    countTokens(window, alphabet.length, part).forEach((found, token) => {
      const at = classes[token] as number;
      counts[at] = (counts[at] as number) + found;
    });
    return {
      sequences: part.sequences,
      steps: { min: length, median: length, max: length },
      ...(unknown !== undefined && {
        tokens: { count: part.to - part.from, unknown: counts[unknown] as number },
      }),
      ...countsOf(counts, vocabulary),
    };
  };
  const { train, validation, test } = parts;
  const hasValidation = validation.sequences > 0;
  return {
    description: {
      ...describeShape(shape),
      parts: {
        train: described(train),
        ...(hasValidation && { validation: described(validation) }),
        test: described(test),
      },
    },
    warnings: hasValidation || validationFraction === 0 ? [] : [noValidation(format, validation)],
  };
};

const countedAtOnce = 1 << 16;

/** How often each token of the file is in a part. */
const countTokens = (window: Window, different: number, { from, to }: StreamPart): Float64Array => {
  const counts = new Float64Array(different);
  for (let at = from; at < to; at += countedAtOnce) {
    for (const token of window(at, Math.min(countedAtOnce, to - at)))
      counts[token] = (counts[token] as number) + 1;
  }
  return counts;
};

const noValidation = ({ chosen, unit }: StreamFormat, { from, to }: StreamPart): ParameterIssue => ({
  path: 'validationFraction',
  message: `validationFraction ${chosen.validationFraction} is ${countedTokens(to - from, unit)} of the text, too few for a sequence of ${chosen.length}: there is no validation part.`,
  expected: `at least ${chosen.length + 1} ${unit}s`,
  help: 'Raise `validationFraction`, lower `length`, use a longer text, or write `validationFraction: 0`.',
});

/** Texts of up to this many tokens are kept in memory (128 MB); of longer ones each sequence is read from the file. */
const mostInMemory = 1 << 25;

/** `length` tokens from `at` on; valid until the next call. */
type Window = (at: number, length: number) => Uint32Array;

/** A view of the file of `count` tokens; one that is not read at once stays open as long as the process. */
export const tokenWindow = (path: string, count: number, most = mostInMemory): Window => {
  const file = openRegular(path);
  const read = (into: Uint32Array, at: number) => {
    if (readFully(file, into, 4 * at) < into.byteLength)
      throw new Error(`${path} is cut off. Remove its folder: it is made again.`);
    return into;
  };
  if (count <= most) {
    const all = read(new Uint32Array(count), 0);
    closeSync(file);
    return (at, length) => all.subarray(at, at + length);
  }
  let window = new Uint32Array(0);
  return (at, length) => {
    if (window.length !== length) window = new Uint32Array(length);
    return read(window, at);
  };
};

/** Reads sequences of `length` tokens, and as targets the same one token on. */
const streamReader = (given: {
  readonly window: Window;
  readonly classes: Int32Array;
  readonly length: number;
  readonly startOf: (index: number) => number;
}): Split['read'] => {
  const { window, classes, length, startOf } = given;
  return (indices, batch) => {
    for (let row = 0; row < indices.length; row++) {
      const tokens = window(startOf(indices[row] as number), length + 1);
      for (let at = 0; at < length; at++) {
        batch.inputs[row * length + at] = classes[tokens[at] as number] as number;
        batch.targets[row * length + at] = classes[tokens[at + 1] as number] as number;
      }
    }
    batch.lengths.fill(length, 0, indices.length);
    batch.size = indices.length;
  };
};
