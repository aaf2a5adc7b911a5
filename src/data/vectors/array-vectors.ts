import { readRegular, readRegularText } from '../../system/files.ts';
import { readTensors } from '../../system/safetensors.ts';
import { interruptionOf } from '../../system/system-error.ts';
import { wrongFile, type DataFile } from '../files.ts';
import type { DataError } from '../dataset.ts';
import { mostVectorSize, tooLong } from './vector-size.ts';

/** Vectors without their tokens. */
export interface VectorArray {
  /** Numbers of a vector. */
  readonly size: number;
  /** Row-major. */
  readonly values: Float32Array;
}

/** NumPy itself refuses longer headers: an array of numbers needs less than 200 characters. */
const longestHeader = 10_000;

interface NumberType {
  readonly bytes: number;
  readonly read: (buffer: ArrayBuffer) => Float32Array;
}

/** The number of a float16 (IEEE 754 binary16). */
const halfNumber = (bits: number): number => {
  const sign = bits >>> 15 === 1 ? -1 : 1;
  const [exponent, fraction] = [(bits >>> 10) & 31, bits & 1023];
  if (exponent === 31) return fraction === 0 ? sign * Infinity : Number.NaN;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
};

const numberTypes: ReadonlyMap<string, NumberType> = new Map<string, NumberType>([
  ['<f2', { bytes: 2, read: (buffer) => Float32Array.from(new Uint16Array(buffer), halfNumber) }],
  ['<f4', { bytes: 4, read: (buffer) => new Float32Array(buffer) }],
  ['<f8', { bytes: 8, read: (buffer) => new Float32Array(new Float64Array(buffer)) }],
]);

/** Reads an `.npy` file of NumPy: a matrix of float16, float32 or float64, one row a vector. Throws `DataError`. */
export const readNpy = (file: DataFile): VectorArray => {
  const bytes = readRegular(file.path);
  if (bytes.length < 12 || bytes.toString('latin1', 0, 6) !== '\x93NUMPY')
    throw damaged(file, 'it does not begin as an .npy file does');
  const isLong = (bytes[6] as number) >= 2;
  const from = isLong ? 12 : 10;
  const headerLength = isLong ? bytes.readUInt32LE(8) : bytes.readUInt16LE(8);
  const start = from + headerLength;
  if (headerLength > longestHeader || start > bytes.length)
    throw damaged(file, `its header would have ${headerLength} characters`);
  const header = bytes.toString('latin1', from, start);
  const type = /'descr':\s*'([^']*)'/.exec(header)?.[1] ?? 'other values';
  const axes = /'shape':\s*\(([\d, ]*)\)/.exec(header)?.[1];
  if (axes === undefined) throw damaged(file, 'its header has no shape');
  const shape = axes
    .split(',')
    .filter((length) => length.trim() !== '')
    .map(Number);
  const numberType = numberTypes.get(type);
  const [count = 0, size = 0] = shape;
  const byColumn = /'fortran_order':\s*True/.test(header);
  if (numberType === undefined || shape.length !== 2 || byColumn) {
    const what = shape.length === 2 ? 'a matrix' : `an array with the shape [${shape.join(', ')}]`;
    throw notMatrix(file, `${what} of ${type}${byColumn ? ' in Fortran order' : ''}`);
  }
  const length = numberType.bytes * count * size;
  if (bytes.length < start + length)
    throw damaged(file, `it has ${bytes.length - start} of ${length} bytes of numbers`);
  const numbers = new Uint8Array(bytes.subarray(start, start + length)).buffer;
  return checked(file, { size, values: numberType.read(numbers) });
};

/** Reads the matrix of a safetensors file: the only one, or the one called embedding. Throws `DataError`. */
export const readVectorTensor = (file: DataFile): VectorArray => {
  const { tensors } = tensorsOf(file);
  const matrices = [...tensors].filter(([, { shape }]) => shape.length === 2);
  const named = matrices.filter(([name]) => /(^|[/.])embeddings?([/.]weight)?$/.test(name));
  const [matrix, ...others] = named.length > 0 ? named : matrices;
  if (!matrix || others.length > 0) {
    const names = [...tensors].map(([name, { shape }]) => `${name} [${shape.join(', ')}]`);
    throw notMatrix(file, names.length === 0 ? 'no tensors' : names.slice(0, 8).join(', '));
  }
  const [, { shape, values }] = matrix;
  return checked(file, { size: shape[1] as number, values });
};

const tensorsOf = (file: DataFile) => {
  try {
    return readTensors(file.path);
  } catch (error) {
    if (interruptionOf(error)) throw error;
    throw damaged(file, (error as Error).message.replace(`${file.path}: `, ''));
  }
};

const checked = (file: DataFile, array: VectorArray): VectorArray => {
  const { size, values } = array;
  if (size === 0 || values.length === 0) throw notMatrix(file, 'no numbers');
  if (size > mostVectorSize) throw tooLong(file, size);
  const wrong = values.findIndex((value) => !Number.isFinite(value));
  if (wrong !== -1)
    throw damaged(
      file,
      `number ${(wrong % size) + 1} of vector ${Math.floor(wrong / size) + 1} is not finite`,
    );
  return array;
};

const damaged = (file: DataFile, why: string): DataError =>
  wrongFile(file, `is damaged: ${why}.`, {
    expected: 'a file of vectors that can be read',
    help: 'Get or write the file again.',
  });

const notMatrix = (file: DataFile, found: string): DataError =>
  wrongFile(file, `has ${found}.`, {
    expected:
      'one matrix of float32 (.npy: or float16 or float64, little-endian, in C order), a row for each token',
    help: 'Save one matrix, such as `numpy.save(file, numpy.ascontiguousarray(matrix, "<f4"))`, or call it embedding.',
  });

/** The tokens in a file: one a line, or as JSON, such as the model/vocabulary.json of a run. Throws `DataError`. */
export const readTokenList = (file: DataFile): readonly string[] => {
  const text = readRegularText(file.path);
  if (!file.path.endsWith('.json')) {
    const lines = text.split(/\r?\n/);
    return lines.at(-1) === '' ? lines.slice(0, -1) : lines;
  }
  const tokens = jsonTokens(text);
  if (Array.isArray(tokens) && tokens.every((token) => typeof token === 'string')) return tokens;
  throw wrongFile(file, 'is not a list of tokens.', {
    expected: 'a JSON list of strings, or an object with such a list in tokens',
    help: 'Write one token per line in a text file, or name the model/vocabulary.json of a run.',
  });
};

const jsonTokens = (text: string): unknown => {
  try {
    const parsed = JSON.parse(text) as unknown;
    return Array.isArray(parsed) ? parsed : (parsed as { readonly tokens?: unknown } | null)?.tokens;
  } catch {
    return undefined;
  }
};
