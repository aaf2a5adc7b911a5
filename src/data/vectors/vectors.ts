import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { readRegular, readRegularText } from '../../system/files.ts';
import type { DataContext } from '../dataset.ts';
import { DataError } from '../dataset.ts';
import { fileDigest, filesDigest, findDataFile, wrongFile, type DataFile } from '../files.ts';
import type { VectorSink } from './vector-sink.ts';
import { packedFolder } from '../packed-folder.ts';

/** Raised whenever the same files would give other vectors, or those in the cache have another form. */
const vectorsVersion = 2;

/** The files of pretrained vectors, as paths. */
export interface VectorFiles {
  readonly file: string;
  /** A list of the tokens of an array's rows; null: they are those of the vocabulary. */
  readonly tokens: string | null;
}

/** What messages and paths of issues call the parameters. */
const parameters = { file: 'embedding.file', tokens: 'embedding.tokens' } as const;

/** The vectors of a vocabulary. */
export interface Vectors {
  /** Numbers of a vector. */
  readonly size: number;
  /** `[tokens with a vector, size]`, row-major, in the order of the vocabulary. */
  readonly rows: Float32Array;
  /** By index of the vocabulary: 1 where the files have a vector. */
  readonly found: Uint8Array;
}

/** Hex SHA-256 over the content of the files. */
export const vectorsDigest = async (files: VectorFiles, context: DataContext): Promise<string> =>
  filesDigest(Object.values(await found(files, context)));

const found = async (
  { file, tokens }: VectorFiles,
  context: DataContext,
): Promise<{ readonly file: DataFile; readonly tokens?: DataFile }> => ({
  file: await findDataFile(file, context, parameters.file),
  ...(tokens !== null && { tokens: await findDataFile(tokens, context, parameters.tokens) }),
});

/**
 * The vectors of a vocabulary. Those that it needs are kept in the cache, so that a large file is read once. Throws
 * `DataError` where the files are damaged, or have none of the tokens.
 */
export const keptVectors = async (
  files: VectorFiles,
  { vocabulary, context }: { readonly vocabulary: readonly string[]; readonly context: DataContext },
): Promise<Vectors> => {
  const { file, tokens } = await found(files, context);
  const digests = [await fileDigest(file), tokens && (await fileDigest(tokens))];
  const ofTokens = createHash('sha256').update(JSON.stringify(vocabulary)).digest('hex');
  const key = ['vectors', vectorsVersion, digests, kindOf(file), ofTokens];
  const folder = await packedFolder(key, async (into) => {
    const read = await readVectors(vocabulary, { file, tokens });
    writeFileSync(join(into, 'rows.bin'), new Uint8Array(read.rows.buffer));
    writeFileSync(join(into, 'found.bin'), read.found);
    writeFileSync(join(into, 'vectors.json'), JSON.stringify({ size: read.size }));
  });
  const { size } = JSON.parse(readRegularText(join(folder, 'vectors.json'))) as { readonly size: number };
  return {
    size,
    rows: new Float32Array(Uint8Array.from(readRegular(join(folder, 'rows.bin'))).buffer),
    found: Uint8Array.from(readRegular(join(folder, 'found.bin'))),
  };
};

const kindOf = ({ path }: DataFile): 'npy' | 'safetensors' | 'text' => {
  const ending = extname(path).toLowerCase();
  return ending === '.npy' ? 'npy' : ending === '.safetensors' ? 'safetensors' : 'text';
};

const readVectors = async (
  vocabulary: readonly string[],
  { file, tokens }: { readonly file: DataFile; readonly tokens: DataFile | undefined },
): Promise<Vectors> => {
  const places = new Map(vocabulary.map((token, at) => [token, at]));
  const seen = new Uint8Array(vocabulary.length);
  const vectors = new Map<number, Float32Array>();
  const sink: VectorSink = {
    placeOf: (token) => {
      const place = places.get(token);
      return place === undefined || seen[place] === 1 ? undefined : place;
    },
    put: (place, vector) => {
      seen[place] = 1;
      vectors.set(place, Float32Array.from(vector));
    },
  };
  const size = await readInto(sink, { file, tokens, vocabulary });
  if (vectors.size === 0) throw noneFound(vocabulary, { file, tokens });
  // Only these: a small file with one long vector would need gigabytes for a large vocabulary.
  const rows = new Float32Array(vectors.size * size);
  const inOrder = [...vectors].sort(([one], [other]) => one - other);
  inOrder.forEach(([, vector], at) => rows.set(vector, at * size));
  return { size, rows, found: seen };
};

/** Reads the files by their kind. Returns the numbers of a vector. */
const readInto = async (
  sink: VectorSink,
  given: {
    readonly file: DataFile;
    readonly tokens: DataFile | undefined;
    readonly vocabulary: readonly string[];
  },
): Promise<number> => {
  const { file, tokens, vocabulary } = given;
  const kind = kindOf(file);
  if (kind === 'text') {
    if (tokens) throw tokensBesideText(file);
    const { readTextVectors } = await import('./text-vectors.ts');
    return readTextVectors(file, sink);
  }
  const { readNpy, readTokenList, readVectorTensor } = await import('./array-vectors.ts');
  const { size, values } = kind === 'npy' ? readNpy(file) : readVectorTensor(file);
  const names = tokens ? readTokenList(tokens) : vocabulary;
  const count = values.length / size;
  if (names.length !== count) throw wrongCount(file, { count, names: names.length, tokens });
  names.forEach((token, at) => {
    const place = sink.placeOf(token);
    if (place !== undefined) sink.put(place, values.subarray(at * size, (at + 1) * size));
  });
  return size;
};

const tokensBesideText = ({ name }: DataFile): DataError =>
  new DataError({
    path: parameters.tokens,
    message: `${name} is text, in which each vector follows its token.`,
    expected: 'no tokens beside vectors in text',
    help: 'Remove `tokens`; it names the rows of an .npy or .safetensors file.',
  });

const wrongCount = (
  file: DataFile,
  given: { readonly count: number; readonly names: number; readonly tokens: DataFile | undefined },
): DataError => {
  const { count, names, tokens } = given;
  return tokens
    ? wrongFile(tokens, `has ${names} tokens, and ${file.name} has ${count} vectors.`, {
        expected: `${count} tokens, one for each vector`,
        help: 'Write one token a line, in the order of the vectors.',
      })
    : wrongFile(file, `has ${count} vectors, and the vocabulary has ${names} tokens.`, {
        expected: `${names} vectors, in the order of the vocabulary`,
        help: 'Name the file with the tokens of the vectors, one a line, with `tokens`.',
      });
};

const noneFound = (
  vocabulary: readonly string[],
  { file, tokens }: { readonly file: DataFile; readonly tokens: DataFile | undefined },
): DataError => {
  // The first two stand for padding and for unknown tokens.
  const examples = vocabulary.slice(2, 5).map((token) => JSON.stringify(token));
  return wrongFile(
    file,
    `has none of the ${vocabulary.length} tokens of the vocabulary, such as ${examples.join(', ')}.`,
    {
      expected: 'vectors of tokens that the training part has',
      help: `Check that the texts are split into the tokens that ${(tokens ?? file).name} has: see \`tokens.unit\`, \`tokens.lowercase\` and \`tokenizer\` of the dataset.`,
    },
  );
};
