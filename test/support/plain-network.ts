import type { AnyParameters, CellName } from './networks.ts';

/**
 * The networks once more, in plain loops over double precision numbers and written from their equations: what the
 * TensorFlow ones are compared with. Differences of it give gradients that are exact to many more digits than float32.
 */

type Vector = readonly number[];
type State = readonly Vector[];

interface PlainWeight {
  readonly shape: readonly number[];
  /** Row-major. */
  readonly values: Float64Array;
}

type PlainWeights = ReadonlyMap<string, PlainWeight>;

export interface PlainMasks {
  readonly between: (layer: number, row: number) => Vector | undefined;
  readonly recurrent: (layer: number, direction: string, row: number) => Vector | undefined;
}

export interface PlainNetwork {
  readonly name: CellName;
  readonly parameters: AnyParameters;
  readonly weights: PlainWeights;
  readonly perStep: boolean;
  readonly masks?: PlainMasks;
}

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
const zeros = (size: number): number[] => Array.from({ length: size }, () => 0);
const zip = (a: Vector, b: Vector, f: (x: number, y: number) => number): number[] =>
  a.map((x, at) => f(x, b[at] ?? NaN));

/** Row vector times matrix. */
const times = (vector: Vector, matrix: readonly Vector[]): number[] => {
  const sums = zeros(matrix[0]?.length ?? 0);
  vector.forEach((value, row) => {
    const weights = matrix[row] ?? [];
    for (let column = 0; column < sums.length; column++)
      sums[column] = (sums[column] ?? NaN) + value * (weights[column] ?? NaN);
  });
  return sums;
};

const normalised = (vector: Vector, gain: Vector): number[] => {
  const mean = vector.reduce((a, b) => a + b, 0) / vector.length;
  const variance = vector.reduce((sum, x) => sum + (x - mean) ** 2, 0) / vector.length;
  return vector.map((x, at) => ((x - mean) / Math.sqrt(variance + 1e-5)) * (gain[at] ?? NaN));
};

const weightOf = ({ weights }: PlainNetwork, name: string): PlainWeight => {
  const weight = weights.get(name);
  if (!weight) throw new Error(`no weight ${name}`);
  return weight;
};

const nested = new WeakMap<PlainWeight, Vector[]>();

const matrixOf = (network: PlainNetwork, name: string): Vector[] => {
  const weight = weightOf(network, name);
  const known = nested.get(weight);
  if (known) return known;
  const columns = weight.shape.at(-1) ?? 1;
  const rows = Array.from({ length: weight.values.length / columns }, (_, row) => [
    ...weight.values.subarray(row * columns, (row + 1) * columns),
  ]);
  nested.set(weight, rows);
  return rows;
};

const vectorOf = (network: PlainNetwork, name: string): Vector => matrixOf(network, name)[0] ?? [];

/** One step of the cell at `place` (`layer1/forward/`) from input and state. */
const cellStep = (
  network: PlainNetwork,
  place: string,
  { x, state, mask }: { x: Vector; state: State; mask: Vector | undefined },
): State => {
  const { name, parameters } = network;
  const { hiddenSize: size, layerNorm } = parameters;
  const vector = (own: string) => vectorOf(network, place + own);
  const kernel = matrixOf(network, `${place}kernel`);
  const inputRows = kernel.slice(0, x.length);
  const stateRows = kernel.slice(x.length);
  const [h = []] = state;
  const seen = mask ? zip(h, mask, (a, b) => a * b) : h;
  const part = (values: Vector, gate: number) => values.slice(gate * size, (gate + 1) * size);
  const bias = vector('bias');

  if (name === 'simple-rnn') {
    const sums = zip(times(x, inputRows), times(seen, stateRows), (a, b) => a + b);
    const shown = layerNorm ? normalised(sums, vector('gain')) : sums;
    return [zip(shown, bias, (a, b) => Math.tanh(a + b))];
  }
  if (name === 'gru') {
    const [fromInput, fromState] = [times(x, inputRows), times(seen, stateRows)];
    const norm = (values: Vector, gain: string): Vector =>
      layerNorm
        ? [
            ...normalised(values.slice(0, 2 * size), vector(gain).slice(0, 2 * size)),
            ...normalised(values.slice(2 * size), vector(gain).slice(2 * size)),
          ]
        : values;
    const a = norm(fromInput, 'inputGain').map((value, at) => value + (bias[at] ?? NaN));
    const b = norm(fromState, 'recurrentGain');
    const r = zip(part(a, 0), part(b, 0), (p, q) => sigmoid(p + q));
    const z = zip(part(a, 1), part(b, 1), (p, q) => sigmoid(p + q));
    const candidateColumns = stateRows.map((row) => row.slice(2 * size));
    const recurrent = parameters.resetAfter
      ? zip(
          r,
          zip(part(b, 2), vector('recurrentBias'), (p, q) => p + q),
          (p, q) => p * q,
        )
      : times(
          zip(r, seen, (p, q) => p * q),
          candidateColumns,
        );
    const n = zip(part(a, 2), recurrent, (p, q) => Math.tanh(p + q));
    return [h.map((value, at) => (1 - (z[at] ?? NaN)) * (n[at] ?? NaN) + (z[at] ?? NaN) * value)];
  }
  const [, c = []] = state;
  const fromInput = times(x, inputRows);
  const fromState = times(seen, stateRows);
  const sums = zip(
    layerNorm ? normalised(fromInput, vector('inputGain')) : fromInput,
    layerNorm ? normalised(fromState, vector('recurrentGain')) : fromState,
    (p, q) => p + q,
  ).map((value, at) => value + (bias[at] ?? NaN));
  const peep = (own: string, cell: Vector): Vector =>
    parameters.peepholes ? zip(vector(own), cell, (p, q) => p * q) : zeros(size);
  const i = zip(part(sums, 0), peep('inputPeephole', c), (p, q) => sigmoid(p + q));
  const j = part(sums, 1).map(Math.tanh);
  const f = zip(part(sums, 2), peep('forgetPeephole', c), (p, q) => sigmoid(p + parameters.forgetBias + q));
  const next = zip(
    zip(f, c, (p, q) => p * q),
    zip(i, j, (p, q) => p * q),
    (p, q) => p + q,
  );
  const o = zip(part(sums, 3), peep('outputPeephole', next), (p, q) => sigmoid(p + q));
  const shown = layerNorm
    ? zip(normalised(next, vector('cellGain')), vector('cellOffset'), (p, q) => p + q)
    : next;
  const output = zip(o, shown, (p, q) => p * Math.tanh(q));
  return [
    parameters.projectionSize === null ? output : times(output, matrixOf(network, `${place}projection`)),
    next,
  ];
};

const firstState = ({ name, parameters }: PlainNetwork): State =>
  name === 'lstm'
    ? [zeros(parameters.projectionSize ?? parameters.hiddenSize), zeros(parameters.hiddenSize)]
    : [zeros(parameters.hiddenSize)];

/** One sequence within its length. */
export interface PlainSequence {
  readonly steps: readonly Vector[];
  /** Its place in the batch, which decides its masks. */
  readonly row: number;
}

/** The states of one cell over one sequence, in the order of reading, beginning from `state`. */
const statesOf = (
  network: PlainNetwork,
  { layer, direction, row }: { layer: number; direction: string; row: number },
  { inputs, state }: { inputs: readonly Vector[]; state: State },
): State[] => {
  const found: State[] = [];
  let now = state;
  for (const x of inputs) {
    const mask = network.masks?.recurrent(layer, direction, row);
    now = cellStep(network, `layer${String(layer)}/${direction}/`, { x, state: now, mask });
    found.push(now);
  }
  return found;
};

const merged = ({ parameters }: PlainNetwork, [forward = [], backward]: readonly Vector[]): Vector => {
  if (!backward) return forward;
  if (parameters.merge === 'concat') return [...forward, ...backward];
  return zip(forward, backward, (a, b) => (a + b) / (parameters.merge === 'mean' ? 2 : 1));
};

/** States of one direction of a layer, in the order of time (`outputs`) and of reading (`read`). */
type LayerStates = (layer: number, direction: 'forward' | 'backward', inputs: readonly Vector[]) => State[];

const everyLayer = (network: PlainNetwork, sequence: PlainSequence, run: LayerStates) => {
  const { parameters, masks } = network;
  const directions = parameters.bidirectional ? (['forward', 'backward'] as const) : (['forward'] as const);
  let inputs = sequence.steps;
  let finals: Vector[] = [];
  for (let layer = 1; layer <= parameters.layers; layer++) {
    const perDirection = directions.map((direction) => {
      const inOrder = direction === 'forward' ? [...inputs] : [...inputs].reverse();
      const hidden = run(layer, direction, inOrder).map(([h = []]) => h);
      return { final: hidden.at(-1) ?? [], outputs: direction === 'forward' ? hidden : hidden.reverse() };
    });
    finals = perDirection.map(({ final }) => final);
    const mask = layer < parameters.layers ? masks?.between(layer, sequence.row) : undefined;
    inputs = inputs.map((_, at) => {
      const output = merged(
        network,
        perDirection.map(({ outputs }) => outputs[at] ?? []),
      );
      return mask ? zip(output, mask, (a, b) => a * b) : output;
    });
  }
  return { outputs: inputs, final: merged(network, finals) };
};

const head = (network: PlainNetwork, vector: Vector): number[] =>
  zip(times(vector, matrixOf(network, 'output/kernel')), vectorOf(network, 'output/bias'), (a, b) => a + b);

/** What the output layer reads of the top layer's outputs. */
const read = (network: PlainNetwork, outputs: readonly Vector[], final: Vector): readonly Vector[] => {
  if (network.perStep) return outputs;
  const columns = (outputs[0] ?? []).map((_, at) => outputs.map((output) => output[at] ?? NaN));
  switch (network.parameters.readout) {
    case 'auto':
    case 'last':
      return [outputs.at(-1) ?? []];
    case 'final-state':
      return [final];
    case 'mean':
      return [columns.map((values) => values.reduce((a, b) => a + b, 0) / values.length)];
    case 'max':
      return [columns.map((values) => Math.max(...values))];
  }
};

/** The outputs of a network for one sequence: one vector, or one for each step. */
export const plainForward = (network: PlainNetwork, sequence: PlainSequence): number[][] => {
  const { outputs, final } = everyLayer(network, sequence, (layer, direction, inputs) =>
    statesOf(network, { layer, direction, row: sequence.row }, { inputs, state: firstState(network) }),
  );
  return read(network, outputs, final).map((vector) => head(network, vector));
};

/** A network, and the sequence as it reads it, that do not move while another network's weights do. */
export interface Frozen {
  readonly network: PlainNetwork;
  readonly sequence: PlainSequence;
}

/**
 * The same, but the state that crosses a border every `chunk` steps comes from `frozen`: so a difference quotient sees only what happens within a chunk.
 */
export const plainChunked = (
  network: PlainNetwork,
  sequence: PlainSequence,
  { frozen, chunk }: { frozen: Frozen; chunk: number },
): number[][] => {
  const record = new Map<string, State[]>();
  everyLayer(frozen.network, frozen.sequence, (layer, direction, inputs) => {
    const states = statesOf(
      frozen.network,
      { layer, direction, row: sequence.row },
      { inputs, state: firstState(frozen.network) },
    );
    record.set(`${String(layer)}/${direction}`, states);
    return states;
  });
  const { outputs, final } = everyLayer(network, sequence, (layer, direction, inputs) => {
    const found: State[] = [];
    for (let start = 0; start < inputs.length; start += chunk) {
      const before = record.get(`${String(layer)}/${direction}`)?.[start - 1];
      const piece = { inputs: inputs.slice(start, start + chunk), state: before ?? firstState(network) };
      found.push(...statesOf(network, { layer, direction, row: sequence.row }, piece));
    }
    return found;
  });
  return read(network, outputs, final).map((vector) => head(network, vector));
};

/**
 * The same, but each output is computed over its last `steps` steps, from a state that comes from `frozen`. Forward
 * networks only.
 */
export const plainTrue = (
  network: PlainNetwork,
  sequence: PlainSequence,
  { frozen, steps }: { frozen: Frozen; steps: number },
): number[][] => {
  const record = new Map<number, State[]>();
  everyLayer(frozen.network, frozen.sequence, (layer, direction, inputs) => {
    const states = statesOf(
      frozen.network,
      { layer, direction, row: sequence.row },
      { inputs, state: firstState(frozen.network) },
    );
    record.set(layer, states);
    return states;
  });
  const outputs = sequence.steps.map((_, end) => {
    const start = Math.max(0, end - steps + 1);
    const piece = { ...sequence, steps: sequence.steps.slice(start, end + 1) };
    const window = everyLayer(network, piece, (layer, direction, inputs) => {
      const state = record.get(layer)?.[start - 1] ?? firstState(network);
      return statesOf(network, { layer, direction, row: sequence.row }, { inputs, state });
    });
    return window.outputs.at(-1) ?? [];
  });
  return read(network, outputs, outputs.at(-1) ?? []).map((vector) => head(network, vector));
};
