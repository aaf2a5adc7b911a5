import { closeSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CharactersParameters } from './characters.ts';
import { DataError, type DataContext, type Dataset, type SequenceShape, type Split } from './dataset.ts';
import { countsOf, describeShape, type PartDescription } from './description.ts';
import { fileDigest, findDataFile, wrongFile, type DataFile } from './files.ts';
import { singleClass, type DataInspection } from './inspect.ts';
import type { ParameterIssue } from '../parameters/row.ts';
import { readFully, writeFully, readRegularText } from '../system/files.ts';
import { packedFolder } from './packed-folder.ts';
import { textOf } from './table/text.ts';

/** Raised whenever the same text would make other tokens. */
const tokensVersion = 1;

/** A text as tokens: `tokens.bin` holds a uint16 for each character, its index in `alphabet`. */
interface TokenDescription {
  readonly alphabet: readonly string[];
  readonly count: number;
}

const describe = (folder: string): TokenDescription =>
  JSON.parse(readRegularText(join(folder, 'alphabet.json'))) as TokenDescription;

const ensureTokens = async ({ file: name }: CharactersParameters, context: DataContext): Promise<string> => {
  const file = await findDataFile(name, context, 'file');
  return packedFolder(['characters', tokensVersion, await fileDigest(file)], (folder) =>
    writeTokens(file, folder),
  );
};

/** Characters are Unicode code points. */
const writeTokens = async (file: DataFile, folder: string): Promise<void> => {
  const seen = new Map<string, number>();
  const output = openSync(join(folder, 'tokens.bin'), 'w');
  let count = 0;
  try {
    for await (const chunk of textOf(file)) {
      const tokens = new Uint16Array(chunk.length);
      let length = 0;
      for (const character of chunk) tokens[length++] = tokenOf(character, seen, file);
      writeFully(output, new Uint8Array(tokens.buffer, 0, 2 * length));
      count += length;
    }
  } finally {
    closeSync(output);
  }
  const description: TokenDescription = { alphabet: [...seen.keys()], count };
  writeFileSync(join(folder, 'alphabet.json'), JSON.stringify(description));
};

const mostCharacters = 65_536;

/** Tokens are numbered as they come. */
const tokenOf = (character: string, seen: Map<string, number>, file: DataFile): number => {
  const known = seen.get(character);
  if (known !== undefined) return known;
  if (seen.size === mostCharacters) {
    throw wrongFile(file, `has more than ${mostCharacters} different characters. Is it a text file?`, {
      expected: 'a text file with at most that many different characters',
      help: 'Name another file, or take rare characters out of it.',
    });
  }
  seen.set(character, seen.size);
  return seen.size - 1;
};

const byCodePoint = (a: string, b: string) => (a.codePointAt(0) ?? 0) - (b.codePointAt(0) ?? 0);

const shapeOf = ({ length }: CharactersParameters, { alphabet }: TokenDescription): SequenceShape => ({
  steps: length,
  input: { kind: 'tokens', vocabulary: alphabet.length },
  variableLength: false,
  task: { kind: 'next-step', classes: alphabet.length, labels: [...alphabet].sort(byCodePoint) },
});

/** The shape of the sequences; reads the text once, then it is in the cache. */
export const charactersShape = async (
  chosen: CharactersParameters,
  context: DataContext,
): Promise<SequenceShape> => shapeOf(chosen, describe(await ensureTokens(chosen, context)));

export const loadCharacters = async (
  chosen: CharactersParameters,
  context: DataContext,
): Promise<Dataset> => {
  const folder = await ensureTokens(chosen, context);
  const description = describe(folder);
  const { alphabet, count } = description;
  const shape = shapeOf(chosen, description);
  const sorted = new Map([...alphabet].sort(byCodePoint).map((character, index) => [character, index]));
  const classes = Int32Array.from(alphabet, (character) => sorted.get(character) ?? 0);
  const window = tokenWindow(join(folder, 'tokens.bin'), count);
  const { length } = chosen;
  const stride = strideOf(chosen);
  const split = ({ from, sequences }: TextPart): Split => ({
    size: sequences,
    read: textReader({ window, classes, length, startOf: (index) => from + index * stride }),
  });
  const { train, validation, test } = textParts(chosen, count);
  return {
    shape,
    train: split(train),
    ...(validation.sequences > 0 && { validation: split(validation) }),
    test: split(test),
  };
};

/** Characters `[from, to)` of a string, and how many sequences they make. */
interface TextPart {
  readonly from: number;
  readonly to: number;
  readonly sequences: number;
}

const strideOf = ({ stride, length }: CharactersParameters): number => stride ?? length;

/** The parts of a text file of `count` characters. Throws `DataError` where it is too short. */
const textParts = (chosen: CharactersParameters, count: number) => {
  const { length, validationFraction, testFraction } = chosen;
  const testStart = count - Math.round(count * testFraction);
  const validationStart = testStart - Math.round(count * validationFraction);
  const part = (from: number, to: number): TextPart => ({
    from,
    to,
    // The last character of a sequence has a next one within the part.
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
    const message = `${chosen.file} has ${counted(count)}, which leaves ${sizes.join(' and ')}: too few for sequences of ${length}.`;
    const expected = `at least ${length + 1} characters in each of these parts`;
    const help = 'Use a longer text, lower `length`, or change `validationFraction` and `testFraction`.';
    throw new DataError({
      path: 'length',
      message,
      expected,
      got: `${counted(count)} in the whole text`,
      help,
    });
  }
  return parts;
};

const counted = (count: number): string => `${count} ${count === 1 ? 'character' : 'characters'}`;

/** Describes and checks a text file without making sequences of it. */
export const inspectCharacters = async (
  chosen: CharactersParameters,
  context: DataContext,
): Promise<DataInspection> => {
  const folder = await ensureTokens(chosen, context);
  const found = describe(folder);
  const shape = shapeOf(chosen, found);
  const parts = textParts(chosen, found.count);
  const [character = ''] = found.alphabet;
  if (found.alphabet.length === 1) throw singleClass({ path: 'file', what: chosen.file, label: character });
  const labels = [...found.alphabet].sort(byCodePoint);
  const classes = new Map(labels.map((one, at) => [one, at]));
  const classOf = Int32Array.from(found.alphabet, (one) => classes.get(one) ?? 0);
  const window = tokenWindow(join(folder, 'tokens.bin'), found.count);
  const { length, validationFraction } = chosen;
  const described = (part: TextPart): PartDescription => ({
    sequences: part.sequences,
    steps: { min: length, median: length, max: length },
    ...countsOf(countCharacters(window, classOf, part), labels),
  });
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
    warnings: hasValidation || validationFraction === 0 ? [] : [noValidation(chosen, validation)],
  };
};

const countedAtOnce = 1 << 16;

const countCharacters = (window: Window, classOf: Int32Array, { from, to }: TextPart): Float64Array => {
  const counts = new Float64Array(classOf.length);
  for (let at = from; at < to; at += countedAtOnce) {
    for (const token of window(at, Math.min(countedAtOnce, to - at))) {
      const found = classOf[token] as number;
      counts[found] = (counts[found] as number) + 1;
    }
  }
  return counts;
};

const noValidation = (
  { length, validationFraction }: CharactersParameters,
  { from, to }: TextPart,
): ParameterIssue => ({
  path: 'validationFraction',
  message: `validationFraction ${validationFraction} is ${counted(to - from)} of the text, too few for a sequence of ${length}: there is no validation part.`,
  expected: `at least ${length + 1} characters`,
  help: 'Raise `validationFraction`, lower `length`, use a longer text, or write `validationFraction: 0`.',
});

/** Texts of up to so many characters are kept in memory (128 MB); of longer ones each sequence is read from the file. */
const mostInMemory = 1 << 26;

/** `characters` tokens from `at` on; valid until the next call. */
type Window = (at: number, characters: number) => Uint16Array;

/** A view of the file of `count` tokens; one that is not read at once stays open as long as the process. */
export const tokenWindow = (path: string, count: number, most = mostInMemory): Window => {
  const file = openSync(path, 'r');
  const read = (into: Uint16Array, at: number) => {
    if (readFully(file, into, 2 * at) < into.byteLength)
      throw new Error(`${path} is cut off. Remove its folder: it is made again.`);
    return into;
  };
  if (count <= most) {
    const all = read(new Uint16Array(count), 0);
    closeSync(file);
    return (at, characters) => all.subarray(at, at + characters);
  }
  let window = new Uint16Array(0);
  return (at, characters) => {
    if (window.length !== characters) window = new Uint16Array(characters);
    return read(window, at);
  };
};

/** Reads sequences of `length` characters, and as targets the same one character on. */
const textReader = (given: {
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
