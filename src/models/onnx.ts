import type { SequenceShape } from '../data/dataset.ts';

/** A number is an integer; ONNX keeps integers and floats apart. */
export type OnnxAttribute = number | readonly number[] | string | { readonly float: number };

/** One step of a loop over the time of sequences. */
export interface OnnxStep {
  /** The state after the step, as many parts as before it. */
  readonly states: readonly string[];
  /** What is kept of each step. */
  readonly outputs: readonly string[];
}

/**
 * Builds an ONNX graph node by node. A value is known by its name, which each function returns. The operators are those of
 * ONNX's default domain in operator set 17.
 */
export interface OnnxGraph {
  /** Adds a node with one output. An input that is left out is an empty name. */
  node(
    operator: string,
    inputs: readonly string[],
    attributes?: Readonly<Record<string, OnnxAttribute>>,
  ): string;
  /** Adds a node with several outputs. */
  nodes(
    operator: string,
    inputs: readonly string[],
    more: {
      readonly outputs: number;
      readonly attributes?: Readonly<Record<string, OnnxAttribute>>;
    },
  ): readonly string[];
  /** A float32 constant, row-major. */
  floats(values: Float32Array | readonly number[], shape: readonly number[]): string;
  /** A float64 constant, row-major. */
  doubles(values: readonly number[], shape: readonly number[]): string;
  /** An int64 constant, a list where no shape is given. */
  integers(values: readonly number[], shape?: readonly number[]): string;
  /**
   * Adds a loop (`Scan`) over the first axis of `sequences`, whose steps may read every value of the graph around it.
   * Returns the last states, then the outputs of all steps, each along a new first axis, `[time, ...]`.
   */
  scan(loop: {
    readonly states: readonly string[];
    readonly sequences: readonly string[];
    /** Reads and puts out the steps from the last to the first. */
    readonly reverse?: boolean;
    readonly step: (graph: OnnxGraph, states: readonly string[], inputs: readonly string[]) => OnnxStep;
  }): readonly string[];
}

/** What an ONNX graph of a model is built from. */
export interface OnnxContext {
  readonly shape: SequenceShape;
  /** The length of the last axis of the outputs. */
  readonly outputs: number;
  readonly graph: OnnxGraph;
  /** What the network reads: float32 `[batch, time, features]`, or int32 `[batch, time]` for tokens. */
  readonly inputs: string;
  /** int32 `[batch]`, each in `[1, time]`; undefined where every sequence has the full length. */
  readonly lengths: string | undefined;
  /** The trained weights by the names of `Model.variables`. */
  readonly weights: ReadonlyMap<string, { readonly shape: readonly number[]; readonly values: Float32Array }>;
}
