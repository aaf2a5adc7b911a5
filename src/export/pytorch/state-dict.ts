import type { StoredTensor } from '../../system/safetensors.ts';
import { biasOf, type Cell, type Matrix, type RecurrentNetwork } from '../recurrent-network.ts';

/** Whether `torch.nn` has the cell: `LSTM` (also with a projection), `GRU` with the reset after the product, `RNN`. */
export const isTorchCell = (cell: Cell): boolean => {
  if (cell.norm) return false;
  switch (cell.kind) {
    case 'lstm':
      return !cell.peepholes;
    case 'gru':
      return cell.recurrentBias !== undefined;
    case 'simple-rnn':
      return true;
  }
};

/** The weights of a network by the names that its Python module gives them. */
export const stateDictOf = ({
  input,
  layers,
  output,
}: RecurrentNetwork): ReadonlyMap<string, StoredTensor> => {
  const tensors = new Map<string, StoredTensor>();
  if (input.kind === 'tokens' && input.table) tensors.set('embedding.weight', stored(input.table));
  if (input.kind === 'values')
    input.embedded.forEach(({ table }, at) => tensors.set(`vectors.${at}.weight`, stored(table)));
  layers.forEach((cells, layer) => {
    cells
      .filter((cell) => cell !== undefined)
      .forEach((cell, direction) => {
        const weights = isTorchCell(cell) ? torchWeights(cell) : ownWeights(cell);
        for (const [name, tensor] of Object.entries(weights))
          tensors.set(`layers.${layer}.cells.${direction}.${name}`, tensor);
      });
  });
  const { rows, columns } = output.kernel;
  tensors.set('output.weight', {
    shape: [columns, rows],
    values: transposed(output.kernel, identity(columns)),
  });
  tensors.set('output.bias', vector(output.bias));
  return tensors;
};

const stored = ({ rows, columns, values }: Matrix): StoredTensor => ({ shape: [rows, columns], values });

const vector = (values: Float32Array): StoredTensor => ({ shape: [values.length], values });

const identity = (size: number): readonly number[] => Array.from({ length: size }, (_, at) => at);

/** The transpose of a matrix, its new rows in the order given. */
const transposed = ({ rows, columns, values }: Matrix, order: readonly number[]): Float32Array => {
  const turned = new Float32Array(order.length * rows);
  let at = 0;
  for (const column of order)
    for (let row = 0; row < rows; row++) turned[at++] = values[row * columns + column] as number;
  return turned;
};

/** The gates of `torch.nn` as the places that they have in Unroll. */
const gateOrder = {
  // PyTorch: input, forget, candidate, output.
  lstm: [0, 2, 1, 3],
  // PyTorch: reset, update, candidate.
  gru: [0, 1, 2],
  'simple-rnn': [0],
} as const;

const torchWeights = (cell: Cell): Readonly<Record<string, StoredTensor>> => {
  const { size, inputKernel, recurrentKernel } = cell;
  const bias = biasOf(cell);
  const columns = gateOrder[cell.kind].flatMap((gate) => identity(size).map((unit) => gate * size + unit));
  const turned = (matrix: Matrix): StoredTensor => ({
    shape: [columns.length, matrix.rows],
    values: transposed(matrix, columns),
  });
  const recurrentBias = new Float32Array(columns.length);
  if (cell.kind === 'gru' && cell.recurrentBias) recurrentBias.set(cell.recurrentBias, 2 * size);
  const projection = cell.kind === 'lstm' ? cell.projection : undefined;
  return {
    weight_ih_l0: turned(inputKernel),
    weight_hh_l0: turned(recurrentKernel),
    bias_ih_l0: vector(Float32Array.from(columns, (column) => bias[column] as number)),
    bias_hh_l0: vector(recurrentBias),
    ...(projection && {
      weight_hr_l0: {
        shape: [projection.columns, projection.rows],
        values: transposed(projection, identity(projection.columns)),
      },
    }),
  };
};

const ownWeights = (cell: Cell): Readonly<Record<string, StoredTensor>> => {
  const base = {
    kernel: stored(cell.inputKernel),
    recurrent: stored(cell.recurrentKernel),
    bias: vector(biasOf(cell)),
  };
  switch (cell.kind) {
    case 'lstm': {
      const { peepholes, projection, norm } = cell;
      return {
        ...base,
        ...(peepholes && {
          peephole_i: vector(peepholes.input),
          peephole_f: vector(peepholes.forget),
          peephole_o: vector(peepholes.output),
        }),
        ...(projection && { projection: stored(projection) }),
        ...(norm && {
          input_gain: vector(norm.input),
          recurrent_gain: vector(norm.recurrent),
          cell_gain: vector(norm.cell),
          cell_offset: vector(norm.cellOffset),
        }),
      };
    }
    case 'gru': {
      const { recurrentBias, norm } = cell;
      return {
        ...base,
        ...(recurrentBias && { recurrent_bias: vector(recurrentBias) }),
        ...(norm && { input_gain: vector(norm.input), recurrent_gain: vector(norm.recurrent) }),
      };
    }
    case 'simple-rnn':
      return { ...base, ...(cell.norm && { gain: vector(cell.norm) }) };
  }
};
