import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DataError } from '../../src/data/dataset.ts';
import { keptVectors, vectorsDigest, type Vectors } from '../../src/data/vectors/vectors.ts';
import { writeTensors } from '../../src/system/safetensors.ts';
import { dataFolder } from './support/data-files.ts';

const vocabulary = ['<pad>', '<unk>', 'the', 'New York', '7'];

/** The vectors that were found, by token. */
const byToken = ({ size, rows, found }: Vectors) =>
  Object.fromEntries(
    vocabulary.flatMap((token, at) =>
      found[at] === 1 ? [[token, [...rows.subarray(at * size, (at + 1) * size)]]] : [],
    ),
  );

const read = async (
  name: string,
  content: string | Uint8Array,
  tokens?: { readonly name: string; readonly content: string },
) => {
  const context = dataFolder({ [name]: content, ...(tokens && { [tokens.name]: tokens.content }) });
  return byToken(await keptVectors({ file: name, tokens: tokens?.name ?? null }, { vocabulary, context }));
};

const mistake = async (...given: Parameters<typeof read>): Promise<string> => {
  const error: unknown = await read(...given).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(DataError);
  return (error as DataError).issues.map(({ path, message }) => `${path}: ${message}`).join('\n');
};

/** A matrix as NumPy saves it. */
const npy = (rows: readonly (readonly number[])[], { type = '<f4', fortran = 'False' } = {}): Buffer => {
  const shape = `(${rows.length}, ${rows[0]?.length ?? 0})`;
  const text = `{'descr': '${type}', 'fortran_order': ${fortran}, 'shape': ${shape}, }`;
  const header = Buffer.from(`${text.padEnd(117)}\n`);
  const head = Buffer.from([0x93, ...Buffer.from('NUMPY'), 1, 0, header.length, 0]);
  const numbers = type === '<f8' ? Float64Array.from(rows.flat()) : Float32Array.from(rows.flat());
  return Buffer.concat([head, header, new Uint8Array(numbers.buffer)]);
};

describe('vectors in text', () => {
  it('have their tokens before their numbers, which may hold spaces', async () => {
    expect(await read('v.txt', 'the 0.5 -1\r\nother 9 9\r\nNew York 1e-2 2\r\n7 3 4\r\n')).toEqual({
      the: [0.5, -1],
      'New York': [Math.fround(0.01), 2],
      '7': [3, 4],
    });
  });

  it('may begin with their number and size, and end their lines with a space', async () => {
    expect(await read('v.vec', '2 3\nthe 1 2 3 \nof 4 5 6 \n')).toEqual({ the: [1, 2, 3] });
  });

  it('count once', async () => {
    expect(await read('v.txt', 'the 1 2\nthe 3 4\n')).toEqual({ the: [1, 2] });
  });

  it('are refused with the line of each that has another size or is no number', async () => {
    expect(await mistake('v.txt', 'the 1 2\nof 1\n7 1 x\nNew York 1 2 3\n')).toBe(
      [
        'embedding.file: v.txt has 3 rows that cannot be used:',
        '  v.txt:2: 1 number where 2 are needed',
        '  v.txt:3: "x" is not a finite number',
        '  v.txt:4: 4 numbers where 2 are needed',
      ].join('\n'),
    );
  });

  it.each([
    ['4 2\nthe 1 2\nof 1 2\n', 'v.txt is damaged: line 1 announces 4 vectors, and there are 2.'],
    ['', 'v.txt has no vectors.'],
    ['these\nare\nwords\n', 'v.txt has no vectors.'],
    ['The 1 2\n', 'v.txt has none of the 5 tokens of the vocabulary, such as "the", "New York", "7".'],
  ])('are refused where %j', async (content, message) => {
    expect(await mistake('v.txt', content)).toBe(`embedding.file: ${message}`);
  });
});

describe('vectors in an array', () => {
  const rows = [
    [1, 2],
    [3, 4],
  ];
  const tokens = { name: 'tokens.txt', content: 'the\nNew York\n' };
  const expected = { the: [1, 2], 'New York': [3, 4] };

  it('are read from NumPy', async () => {
    expect(await read('v.npy', npy(rows), tokens)).toEqual(expected);
    expect(await read('v.npy', npy(rows, { type: '<f8' }), tokens)).toEqual(expected);
  });

  it('are those of the vocabulary where no tokens are named', async () => {
    const all = vocabulary.map((_, at) => [at, -at]);
    expect(await read('v.npy', npy(all))).toEqual(
      Object.fromEntries(vocabulary.map((token, at) => [token, [at, -at]])),
    );
    expect(await mistake('v.npy', npy(rows))).toBe(
      'embedding.file: v.npy has 2 vectors, and the vocabulary has 5 tokens.',
    );
  });

  it('are read from safetensors, by the name of the matrix', async () => {
    const context = dataFolder({ 'tokens.json': JSON.stringify({ tokens: ['the', 'New York'] }) });
    const matrix = (values: readonly number[]) => ({ shape: [2, 2], values: Float32Array.from(values) });
    const write = (tensors: Readonly<Record<string, ReturnType<typeof matrix>>>) => {
      writeTensors(join(context.baseDirectory, 'v.safetensors'), {
        tensors: new Map(Object.entries(tensors)),
        metadata: {},
      });
    };
    const files = { file: 'v.safetensors', tokens: 'tokens.json' };
    write({ 'layer1/kernel': matrix([9, 9, 9, 9]), 'weights/embedding': matrix([1, 2, 3, 4]) });
    expect(byToken(await keptVectors(files, { vocabulary, context }))).toEqual(expected);
    const before = await vectorsDigest(files, context);
    write({ a: matrix([1, 2, 3, 4]), b: matrix([1, 2, 3, 4]) });
    expect(await vectorsDigest(files, context)).not.toBe(before);
    await expect(keptVectors(files, { vocabulary, context })).rejects.toThrow(
      'v.safetensors has a [2, 2], b [2, 2].',
    );
    writeFileSync(join(context.baseDirectory, 'v.safetensors'), 'no tensors');
    await expect(keptVectors(files, { vocabulary, context })).rejects.toThrow(/^v.safetensors is damaged: /);
  });

  it.each([
    ['its end is missing', npy(rows).subarray(0, -4), 'v.npy is damaged: it has 12 of 16 bytes of numbers.'],
    [
      'it is something else',
      Buffer.from('PK and no numbers'),
      'v.npy is damaged: it does not begin as an .npy file does.',
    ],
    ['it has whole numbers', npy(rows, { type: '<i8' }), 'v.npy has a matrix of <i8.'],
    ['its columns come first', npy(rows, { fortran: 'True' }), 'v.npy has a matrix of <f4 in Fortran order.'],
    [
      'a number is infinite',
      npy([
        [1, 2],
        [3, Infinity],
      ]),
      'v.npy is damaged: number 2 of vector 2 is not finite.',
    ],
  ])('are refused where %s', async (_, content, message) => {
    expect(await mistake('v.npy', content, tokens)).toBe(`embedding.file: ${message}`);
  });

  it('need as many tokens as there are vectors', async () => {
    expect(await mistake('v.npy', npy(rows), { ...tokens, content: 'the\n' })).toBe(
      'embedding.tokens: tokens.txt has 1 tokens, and v.npy has 2 vectors.',
    );
    expect(await mistake('v.npy', npy(rows), { name: 'tokens.json', content: '{"the": 1}' })).toBe(
      'embedding.tokens: tokens.json is not a list of tokens.',
    );
  });
});
