import type { Cell, GruCell, LstmCell, Matrix, SimpleRnnCell } from './recurrent-network.ts';

/** Elementary operations of a graph; a value is known by its name. They act on the last axis. */
export interface Operations {
  constant(values: Float32Array, shape: readonly number[]): string;
  matMul(left: string, right: string): string;
  add(left: string, right: string): string;
  sub(left: string, right: string): string;
  mul(left: string, right: string): string;
  sigmoid(value: string): string;
  tanh(value: string): string;
  split(value: string, sizes: readonly number[]): readonly string[];
  concat(values: readonly string[]): string;
  /** (value - mean) / sqrt(variance + epsilon), times the gain. */
  normalised(value: string, gain: string): string;
}

/** Added to the variance by layer normalisation. */
export const epsilon = 1e-5;

/** The equations of a cell, which `src/tensorflow/kernels` explains. */
export interface CellEquations {
  /** The sizes of the parts of the state, the first of which is the output. */
  readonly state: readonly number[];
  /** The part that does not depend on the state, for all steps at once: `[.., features]` to `[.., gates * size]`. */
  readonly project: (operations: Operations, inputs: string) => string;
  /** One step from its projected input, `[batch, gates * size]`, to the state after it. */
  readonly step: (operations: Operations, projected: string, state: readonly string[]) => readonly string[];
}

export const equationsOf = (cell: Cell): CellEquations => {
  switch (cell.kind) {
    case 'lstm':
      return lstmEquations(cell);
    case 'gru':
      return gruEquations(cell);
    case 'simple-rnn':
      return simpleRnnEquations(cell);
  }
};

export const matrix = (op: Operations, { values, rows, columns }: Matrix): string =>
  op.constant(values, [rows, columns]);

export const vector = (op: Operations, values: Float32Array): string => op.constant(values, [values.length]);

const lstmEquations = (cell: LstmCell): CellEquations => {
  const { size, outputs, peepholes, projection, norm } = cell;
  return {
    state: [outputs, size],
    project: (op, inputs) => {
      const product = op.matMul(inputs, matrix(op, cell.inputKernel));
      const shown = norm ? op.normalised(product, vector(op, norm.input)) : product;
      return op.add(shown, lstmBias(op, cell));
    },
    step: (op, projected, state) => {
      const [hidden, before] = state as readonly [string, string];
      const product = op.matMul(hidden, matrix(op, cell.recurrentKernel));
      const sums = op.add(projected, norm ? op.normalised(product, vector(op, norm.recurrent)) : product);
      const [i, j, f, o] = op.split(sums, [size, size, size, size]) as [string, string, string, string];
      const gate = (sum: string, weights: Float32Array | undefined, seen: string) =>
        op.sigmoid(weights ? op.add(sum, op.mul(seen, vector(op, weights))) : sum);
      const kept = op.mul(gate(f, peepholes?.forget, before), before);
      const next = op.add(kept, op.mul(gate(i, peepholes?.input, before), op.tanh(j)));
      const shown = norm
        ? op.add(op.normalised(next, vector(op, norm.cell)), vector(op, norm.cellOffset))
        : next;
      const output = op.mul(gate(o, peepholes?.output, next), op.tanh(shown));
      return [projection ? op.matMul(output, matrix(op, projection)) : output, next];
    },
  };
};

/** The trained bias is a constant by itself, so that it can be read back. */
const lstmBias = (op: Operations, { bias, forgetBias, size }: LstmCell): string => {
  const trained = vector(op, bias);
  if (forgetBias === 0) return trained;
  const added = new Float32Array(bias.length).fill(forgetBias, 2 * size, 3 * size);
  return op.add(trained, vector(op, added));
};

const gruEquations = (cell: GruCell): CellEquations => {
  const { size, norm, recurrentBias, recurrentKernel } = cell;
  const sizes = [2 * size, size];
  /** The two gates together, and the candidate by itself. */
  const split = (op: Operations, columns: string, gains?: Float32Array): readonly [string, string] => {
    const [gates, candidate] = op.split(columns, sizes) as [string, string];
    if (!gains) return [gates, candidate];
    return [
      op.normalised(gates, vector(op, gains.subarray(0, 2 * size))),
      op.normalised(candidate, vector(op, gains.subarray(2 * size))),
    ];
  };
  return {
    state: [size],
    project: (op, inputs) => {
      const product = op.matMul(inputs, matrix(op, cell.inputKernel));
      const columns = norm ? op.concat(split(op, product, norm.input)) : product;
      return op.add(columns, vector(op, cell.bias));
    },
    step: (op, projected, state) => {
      const [hidden] = state as readonly [string];
      const [inputGates, inputCandidate] = split(op, projected);
      const gatesOf = (product: string) =>
        op.split(op.sigmoid(op.add(inputGates, product)), [size, size]) as [string, string];
      const mix = (update: string, candidate: string) => [
        op.add(candidate, op.mul(update, op.sub(hidden, candidate))),
      ];
      if (!recurrentBias) {
        const [reset, update] = gatesOf(
          op.matMul(hidden, matrix(op, columnsOf(recurrentKernel, 0, 2 * size))),
        );
        const candidateKernel = matrix(op, columnsOf(recurrentKernel, 2 * size, 3 * size));
        const product = op.matMul(op.mul(reset, hidden), candidateKernel);
        return mix(update, op.tanh(op.add(inputCandidate, product)));
      }
      const [stateGates, stateCandidate] = split(
        op,
        op.matMul(hidden, matrix(op, recurrentKernel)),
        norm?.recurrent,
      );
      const [reset, update] = gatesOf(stateGates);
      const recurrent = op.mul(reset, op.add(stateCandidate, vector(op, recurrentBias)));
      return mix(update, op.tanh(op.add(inputCandidate, recurrent)));
    },
  };
};

const simpleRnnEquations = (cell: SimpleRnnCell): CellEquations => {
  const { size, norm } = cell;
  return {
    state: [size],
    project: (op, inputs) => op.matMul(inputs, matrix(op, cell.inputKernel)),
    step: (op, projected, state) => {
      const [hidden] = state as readonly [string];
      const sums = op.add(projected, op.matMul(hidden, matrix(op, cell.recurrentKernel)));
      const shown = norm ? op.normalised(sums, vector(op, norm)) : sums;
      return [op.tanh(op.add(shown, vector(op, cell.bias)))];
    },
  };
};

/** Some columns of a matrix. */
export const columnsOf = ({ rows, columns, values }: Matrix, from: number, to: number): Matrix => {
  const width = to - from;
  const taken = new Float32Array(rows * width);
  for (let row = 0; row < rows; row++)
    taken.set(values.subarray(row * columns + from, row * columns + to), row * width);
  return { rows, columns: width, values: taken };
};
