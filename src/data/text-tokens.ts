import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CharactersParameters } from './characters.ts';
import { DataError, type DataContext, type Dataset, type SequenceShape, type Split } from './dataset.ts';
import { fileDigest, findDataFile, wrongFile, type DataFile } from './files.ts';
import { readFully, writeFully } from '../system/files.ts';
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
  JSON.parse(readFileSync(join(folder, 'alphabet.json'), 'utf8')) as TokenDescription;

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
    throw wrongFile(file, `has more than ${mostCharacters} different characters: is it a text?`, {
      expected: 'a text of at most as many different characters',
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
  const { length, validationFraction, testFraction } = chosen;
  const stride = chosen.stride ?? length;
  const testStart = count - Math.round(count * testFraction);
  const validationStart = testStart - Math.round(count * validationFraction);

  const split = (from: number, to: number): Split => ({
    // The last character of a sequence has a next one within the part.
    size: Math.max(0, Math.floor((to - from - 1 - length) / stride) + 1),
    read: textReader({ window, classes, length, startOf: (index) => from + index * stride }),
  });
  const parts = {
    train: split(0, validationStart),
    validation: split(validationStart, testStart),
    test: split(testStart, count),
  };
  if (parts.train.size === 0 || parts.test.size === 0) {
    const message = `${chosen.file} has ${count} characters: too few for sequences of ${length} in the training and test part.`;
    const expected = 'a length that both parts have room for';
    const help = 'Lower length, or use a longer text.';
    throw new DataError(message, [{ path: 'length', message, expected, help }]);
  }
  const { validation, ...others } = parts;
  return { shape, ...others, ...(validation.size > 0 && { validation }) };
};

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
