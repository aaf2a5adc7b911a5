import type { Cell, LayerCells, Matrix } from '../recurrent-network.ts';
import type { Sequences } from './sequences.ts';

/** The operators for whole sequences, and at each place of their gates the place that the gate has in Unroll. */
const operators = {
  // ONNX: input, output, forget, candidate.
  lstm: { operator: 'LSTM', gates: [0, 3, 2, 1] },
  // ONNX: update, reset, candidate.
  gru: { operator: 'GRU', gates: [1, 0, 2] },
  'simple-rnn': { operator: 'RNN', gates: [0] },
} as const;

/** Whether ONNX has an operator for the cell. */
export const isFused = (cell: Cell): boolean =>
  cell.norm === undefined && !(cell.kind === 'lstm' && cell.projection);

/** Adds a layer of cells for which ONNX has an operator. Returns all outputs `[time, directions, batch, size]` and the last ones `[directions, batch, size]`. */
export const addFusedLayer = (
  { graph, lengths }: Sequences,
  inputs: string,
  cells: LayerCells,
): { readonly every: string; readonly final: string } => {
  const [first] = cells;
  const { size, features } = first;
  const { operator, gates } = operators[first.kind];
  const each = cells.filter((cell) => cell !== undefined);
  const count = each.length;
  const rows = gates.length * size;
  const weights = (part: 'inputKernel' | 'recurrentKernel', columns: number) =>
    graph.floats(concat(each.map((cell) => transposedGates(cell[part], gates, size))), [
      count,
      rows,
      columns,
    ]);
  const peepholes = first.kind === 'lstm' && first.peepholes !== undefined;
  const [every, final] = graph.nodes(
    operator,
    [
      inputs,
      weights('inputKernel', features),
      weights('recurrentKernel', size),
      graph.floats(concat(each.map((cell) => biases(cell, gates))), [count, 2 * rows]),
      lengths?.int32 ?? '',
      ...(peepholes ? ['', '', graph.floats(concat(each.map(peepholesOf)), [count, 3 * size])] : []),
    ],
    {
      outputs: 2,
      attributes: {
        hidden_size: size,
        direction: count === 2 ? 'bidirectional' : 'forward',
        ...(first.kind === 'gru' && { linear_before_reset: Number(first.recurrentBias !== undefined) }),
      },
    },
  ) as readonly [string, string];
  return { every, final };
};

const concat = (parts: readonly Float32Array[]): Float32Array => {
  const whole = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
};

/** A kernel `[rows, gates * size]` as `[gates * size, rows]`, its gates in the order given. */
const transposedGates = (
  { rows, columns, values }: Matrix,
  gates: readonly number[],
  size: number,
): Float32Array => {
  const turned = new Float32Array(values.length);
  let at = 0;
  for (const gate of gates)
    for (let unit = 0; unit < size; unit++)
      for (let row = 0; row < rows; row++)
        turned[at++] = values[row * columns + gate * size + unit] as number;
  return turned;
};

const biases = (cell: Cell, gates: readonly number[]): Float32Array => {
  const { size, bias } = cell;
  const both = new Float32Array(2 * gates.length * size);
  gates.forEach((gate, place) => both.set(bias.subarray(gate * size, (gate + 1) * size), place * size));
  // The last gate is the candidate, the only one with a bias of its own on the state.
  if (cell.kind === 'gru' && cell.recurrentBias) both.set(cell.recurrentBias, both.length - size);
  return both;
};

const peepholesOf = (cell: Cell): Float32Array =>
  cell.kind === 'lstm' && cell.peepholes
    ? concat([cell.peepholes.input, cell.peepholes.output, cell.peepholes.forget])
    : new Float32Array();
