import type { Random } from '../data/random.ts';
import type { KernelInitializer, OutputInitializer } from './parameters.ts';

/** All draws are row-major, computed in double precision and rounded to float32 once. */
export type Draw = (random: Random) => Float32Array;

/** A loop, because the iterator of `Float32Array.from` takes longer than the draws. */
export const filled = (size: number, next: () => number): Float32Array => {
  const values = new Float32Array(size);
  for (let at = 0; at < size; at++) values[at] = next();
  return values;
};

export const constant =
  (size: number, value: number): Draw =>
  () =>
    new Float32Array(size).fill(value);

/** Uniform in [-limit, limit). */
const uniform =
  (size: number, limit: number): Draw =>
  (random) =>
    filled(size, () => (2 * random.uniform() - 1) * limit);

export const normal =
  (size: number, deviation = 1): Draw =>
  (random) =>
    filled(size, () => random.normal() * deviation);

/** Uniform with variance 2 / (rows + columns): Glorot and Bengio 2010, "Understanding the difficulty of training deep feedforward neural networks". */
export const glorotUniform = (rows: number, columns: number): Draw =>
  uniform(rows * columns, Math.sqrt(6 / (rows + columns)));

/** The first `rows` of a random orthogonal matrix of `columns >= rows`: Gram-Schmidt on rows of normal draws. */
const orthonormalRows = (random: Random, rows: number, columns: number): Float64Array[] => {
  const found: Float64Array[] = [];
  while (found.length < rows) {
    const row = Float64Array.from({ length: columns }, () => random.normal());
    // The second pass removes the rounding errors of the first.
    for (let pass = 0; pass < 2; pass++)
      for (const other of found) {
        let product = 0;
        for (let at = 0; at < columns; at++) product += (row[at] ?? 0) * (other[at] ?? 0);
        for (let at = 0; at < columns; at++) row[at] = (row[at] ?? 0) - product * (other[at] ?? 0);
      }
    const length = Math.hypot(...row);
    if (length > 1e-6) found.push(row.map((value) => value / length));
  }
  return found;
};

/** The sizes of a cell's kernel, `[features + recurrent, gates * size]`: rows of the input come first. */
export interface KernelSizes {
  readonly features: number;
  readonly recurrent: number;
  readonly gates: number;
  readonly size: number;
}

const orthogonalKernel =
  ({ features, recurrent, gates, size }: KernelSizes): Draw =>
  (random) => {
    const columns = gates * size;
    const kernel = new Float32Array((features + recurrent) * columns);
    kernel.set(glorotUniform(features, columns)(random));
    const [short, long] = recurrent <= size ? [recurrent, size] : [size, recurrent];
    for (let gate = 0; gate < gates; gate++) {
      const rows = orthonormalRows(random, short, long);
      for (let from = 0; from < recurrent; from++)
        for (let to = 0; to < size; to++)
          kernel[(features + from) * columns + gate * size + to] =
            (short === recurrent ? rows[from]?.[to] : rows[to]?.[from]) ?? 0;
    }
    return kernel;
  };

export const drawKernel = (initializer: KernelInitializer, sizes: KernelSizes): Draw => {
  const rows = sizes.features + sizes.recurrent;
  const columns = sizes.gates * sizes.size;
  switch (initializer) {
    case 'glorot-uniform':
      return glorotUniform(rows, columns);
    case 'glorot-normal':
      return normal(rows * columns, Math.sqrt(2 / (rows + columns)));
    case 'orthogonal':
      return orthogonalKernel(sizes);
    case 'uniform':
      return uniform(rows * columns, 1 / Math.sqrt(sizes.size));
  }
};

/** `count` biases of a cell of `size` units. */
export const drawBias = (initializer: KernelInitializer, count: number, size: number): Draw =>
  initializer === 'uniform' ? uniform(count, 1 / Math.sqrt(size)) : constant(count, 0);

/** Weights `[inputs, outputs]` and biases `[outputs]` of the output layer. */
export const drawOutput = (
  initializer: OutputInitializer,
  inputs: number,
  outputs: number,
): { readonly kernel: Draw; readonly bias: Draw } => {
  switch (initializer) {
    case 'glorot-uniform':
      return { kernel: glorotUniform(inputs, outputs), bias: constant(outputs, 0) };
    case 'normal':
      return { kernel: normal(inputs * outputs), bias: normal(outputs) };
    case 'uniform': {
      const limit = 1 / Math.sqrt(inputs);
      return { kernel: uniform(inputs * outputs, limit), bias: uniform(outputs, limit) };
    }
  }
};
