import type { Cell, LayerCells, Matrix } from '../recurrent-network.ts';
import type { Sequences } from './sequences.ts';
import { wholeOf, type Block } from './weight-places.ts';

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
    graph.gathered(
      each.flatMap((cell) => transposedGates(cell[part], gates, size)),
      [count, rows, columns],
    );
  const peepholes = first.kind === 'lstm' && first.peepholes !== undefined;
  const [every, final] = graph.nodes(
    operator,
    [
      inputs,
      weights('inputKernel', features),
      weights('recurrentKernel', size),
      graph.gathered(
        each.flatMap((cell) => biases(cell, gates)),
        [count, 2 * rows],
      ),
      lengths?.int32 ?? '',
      ...(peepholes ? ['', '', graph.gathered(each.flatMap(peepholesOf), [count, 3 * size])] : []),
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

/** A kernel `[rows, gates * size]` as `[gates * size, rows]`, its gates in the order given. */
const transposedGates = (
  { rows, columns, values }: Matrix,
  gates: readonly number[],
  size: number,
): readonly Block[] =>
  gates.map((gate) => ({
    values: values.subarray(gate * size),
    shape: [size, rows],
    strides: [1, columns],
  }));

/** The biases on the inputs, then those on the state, which are added to them. */
const biases = (cell: Cell, gates: readonly number[]): readonly Block[] => {
  const { size, bias } = cell;
  const ofInputs = gates.map((gate) => wholeOf(bias.subarray(gate * size, (gate + 1) * size)));
  const constant = (value: number) => wholeOf(new Float32Array(size).fill(value));
  const ofState = gates.map((gate) => {
    if (cell.kind === 'lstm' && gate === forgetGate) return constant(cell.forgetBias);
    // The candidate is the only gate with a trained bias on the state.
    return cell.kind === 'gru' && gate === candidateGate && cell.recurrentBias
      ? wholeOf(cell.recurrentBias)
      : constant(0);
  });
  return [...ofInputs, ...ofState];
};

/** Places of gates in Unroll. */
const forgetGate = 2;
const candidateGate = 2;

const peepholesOf = (cell: Cell): readonly Block[] =>
  cell.kind === 'lstm' && cell.peepholes
    ? [cell.peepholes.input, cell.peepholes.output, cell.peepholes.forget].map(wholeOf)
    : [];
