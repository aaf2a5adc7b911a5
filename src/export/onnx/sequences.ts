import type { OnnxGraph } from '../../models/onnx.ts';
import { elementTypes, type GraphBuilder } from './graph.ts';

/**
 * Sequences in a graph, time first: `[time, batch, size]`. Where they have lengths, values past the length are of no
 * account.
 */
export interface Sequences {
  readonly graph: GraphBuilder;
  /** Undefined where every sequence has the full length. */
  readonly lengths: Lengths | undefined;
}

interface Lengths {
  /** int32 `[batch]`. */
  readonly int32: string;
  /** int64 `[batch]`. */
  readonly int64: string;
  /** float32 `[batch]`. */
  readonly float: string;
  /** bool `[time, batch, 1]`: true within a sequence's length. */
  readonly within: string;
  /** float32 `[time, batch, 1]`: 1 within a sequence's length, 0 past it. */
  readonly mask: string;
}

/** What operations along the time need, where `timeMajor` is `[time, batch, ...]`. */
export const sequencesOf = (graph: GraphBuilder, timeMajor: string, int32: string | undefined): Sequences => {
  if (int32 === undefined) return { graph, lengths: undefined };
  const int64 = graph.node('Cast', [int32], { to: elementTypes.int64 });
  const scalar = (value: number) => graph.integers([value], []);
  const time = graph.node('Gather', [graph.node('Shape', [timeMajor]), scalar(0)]);
  const steps = graph.node('Range', [scalar(0), time, scalar(1)]);
  const within = graph.node('Less', [
    graph.node('Unsqueeze', [steps, graph.integers([1, 2])]),
    graph.node('Unsqueeze', [int64, graph.integers([0, 2])]),
  ]);
  return {
    graph,
    lengths: {
      int32,
      int64,
      float: graph.node('Cast', [int32], { to: elementTypes.float32 }),
      within,
      mask: graph.node('Cast', [within], { to: elementTypes.float32 }),
    },
  };
};

export const swapBatchAndTime = (graph: OnnxGraph, sequence: string): string =>
  graph.node('Transpose', [sequence], { perm: [1, 0, 2] });

/** Reverses each sequence within its length. */
export const reversed = ({ graph, lengths }: Sequences, sequence: string): string => {
  if (!lengths) throw new Error('Sequences of the full length are read backwards by the loop itself.');
  return graph.node('ReverseSequence', [sequence, lengths.int64], { time_axis: 0, batch_axis: 1 });
};

/** The last step within each length: `[batch, size]`. */
export const lastStep = ({ graph, lengths }: Sequences, sequence: string): string => {
  if (!lengths) return graph.node('Gather', [sequence, graph.integers([-1], [])]);
  const last = graph.node('Sub', [lengths.int64, graph.integers([1], [])]);
  const places = graph.node('Unsqueeze', [last, graph.integers([1])]);
  return graph.node('GatherND', [swapBatchAndTime(graph, sequence), places], { batch_dims: 1 });
};

/** Mean of the steps within the lengths: `[batch, size]`. Past them `sequence` must be zero. */
export const meanOfSteps = ({ graph, lengths }: Sequences, sequence: string): string => {
  if (!lengths) return graph.node('ReduceMean', [sequence], { axes: [0], keepdims: 0 });
  const sum = graph.node('ReduceSum', [sequence, graph.integers([0])], { keepdims: 0 });
  return graph.node('Div', [sum, graph.node('Unsqueeze', [lengths.float, graph.integers([1])])]);
};

/** Maximum of the steps within the lengths: `[batch, size]`. */
export const maximumOfSteps = ({ graph, lengths }: Sequences, sequence: string): string => {
  const shown = lengths
    ? graph.node('Where', [lengths.within, sequence, graph.floats([-Infinity], [])])
    : sequence;
  return graph.node('ReduceMax', [shown], { axes: [0], keepdims: 0 });
};

/** Zero past the lengths. */
export const zeroPastLength = ({ graph, lengths }: Sequences, sequence: string): string =>
  lengths ? graph.node('Mul', [sequence, lengths.mask]) : sequence;
