import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DataError } from '../../src/data/dataset.ts';
import { keptVectors, vectorsDigest, type Vectors } from '../../src/data/vectors/vectors.ts';
import { writeTensors } from '../../src/system/safetensors.ts';
import { dataFolder } from './support/data-files.ts';

const vocabulary = ['<pad>', '<unk>', 'the', 'New York', '7'];

/** The vectors that were found, by token. */
const byToken = ({ size, rows, found }: Vectors) => {
  const tokens = vocabulary.filter((_, at) => found[at] === 1);
  expect(rows).toHaveLength(tokens.length * size);
  return Object.fromEntries(
    tokens.map((token, at) => [token, [...rows.subarray(at * size, (at + 1) * size)]]),
  );
};

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

/** A matrix of float16 numbers, given by their bits. */
const halfNpy = (size: number, bits: readonly number[]): Buffer => {
  const rows = Array.from({ length: bits.length / size }, () => new Array<number>(size).fill(0));
  const whole = npy(rows, { type: '<f2' });
  const head = whole.subarray(0, whole.length - 4 * bits.length);
  return Buffer.concat([head, new Uint8Array(Uint16Array.from(bits).buffer)]);
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
    // What numpy.float16 has for 1, -2, 65504, its smallest number, 1/3 and -0.
    const halves = [0x3c00, 0xc000, 0x7bff, 0x0001, 0x3555, 0x8000];
    expect(Object.values(await read('v.npy', halfNpy(3, halves), tokens)).flat()).toEqual([
      ...[1, -2, 65504],
      ...[2 ** -24, 0.333251953125, -0],
    ]);
    expect(await mistake('v.npy', halfNpy(3, [...halves.slice(0, 4), 0x7c00, 0]), tokens)).toContain(
      'number 2 of vector 2 is not finite',
    );
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

describe('hostile files of vectors', () => {
  /** An .npy file with any header. */
  const withHeader = (header: string, { version = 1, length = header.length, bytes = 64 } = {}): Buffer => {
    const head = Buffer.alloc(version === 1 ? 10 : 12);
    head.write('\x93NUMPY', 'latin1');
    head[6] = version;
    if (version === 1) head.writeUInt16LE(length, 8);
    else head.writeUInt32LE(length, 8);
    return Buffer.concat([head, Buffer.from(header, 'latin1'), Buffer.alloc(bytes)]);
  };
  const header = (type: string, shape: string) =>
    `{'descr': '${type}', 'fortran_order': False, 'shape': ${shape}, }`;

  it.each([
    ['a type that every object has', header('constructor', '(2, 2)'), 'v.npy has a matrix of constructor.'],
    ['another such type', header('__proto__', '(2, 2)'), 'v.npy has a matrix of __proto__.'],
    ['a negative shape', header('<f4', '(-2, -2)'), 'v.npy is damaged: its header has no shape.'],
    ['a shape with fractions', header('<f4', '(0.5, 8)'), 'v.npy is damaged: its header has no shape.'],
    ['one axis', header('<f4', '(16,)'), 'v.npy has an array with the shape [16] of <f4.'],
    [
      'fields',
      `{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2, 2), }`,
      'v.npy has a matrix of other values.',
    ],
    [
      'a shape beyond all bounds',
      header('<f4', `(${'9'.repeat(400)}, 2)`),
      'v.npy is damaged: it has 64 of Infinity bytes of numbers.',
    ],
    ['very long vectors', header('<f4', '(1, 20000)'), 'v.npy has vectors of 20000 numbers.', 80_000],
    ['no text', '\0'.repeat(40), 'v.npy is damaged: its header has no shape.'],
  ])('an .npy file with %s is refused', async (_, text, message, bytes = 64) => {
    expect(await mistake('v.npy', withHeader(text, { bytes }))).toBe(`embedding.file: ${message}`);
  });

  it('an .npy file whose header is longer than a header or the file is refused at once', async () => {
    const long = "'shape':(".repeat(100_000);
    expect(await mistake('v.npy', withHeader(long, { version: 2 }))).toBe(
      'embedding.file: v.npy is damaged: its header would have 900000 characters.',
    );
    expect(await mistake('v.npy', withHeader('{}', { version: 2, length: 2 ** 32 - 1 }))).toContain(
      'its header would have 4294967295 characters',
    );
    expect(await mistake('v.npy', withHeader('{}', { length: 9000 }))).toContain(
      'would have 9000 characters',
    );
  });

  it('text with vectors that no model has is refused at its first line', async () => {
    const line = `the${' 1'.repeat(20_000)}\n`;
    expect(await mistake('v.txt', line)).toBe('embedding.file: v.txt has vectors of 20000 numbers.');
    expect(await mistake('v.txt', `1 ${'9'.repeat(500_000)}\n`)).toBe(
      'embedding.file: v.txt has vectors of Infinity numbers.',
    );
  });

  it('safetensors of a wrong form are refused', async () => {
    const json = Buffer.from(
      JSON.stringify({ embedding: { dtype: 'F32', shape: 'ab', data_offsets: [0, 8] } }),
    );
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(json.length));
    expect(await mistake('v.safetensors', Buffer.concat([length, json, Buffer.alloc(8)]))).toBe(
      'embedding.file: v.safetensors is damaged: tensor embedding has no usable dtype, shape or data_offsets.',
    );
  });

  it('one long vector does not take memory for each token of a large vocabulary', async () => {
    const words = Array.from({ length: 300_000 }, (_, at) => `w${at}`);
    const context = dataFolder({ 'v.txt': `w7${' 1'.repeat(16_000)}\n` });
    const { rows, found, size } = await keptVectors(
      { file: 'v.txt', tokens: null },
      { vocabulary: words, context },
    );
    expect({ numbers: rows.length, size, place: found.indexOf(1) }).toEqual({
      ...{ numbers: 16_000, size: 16_000, place: 7 },
    });
  });
});
