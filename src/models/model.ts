import type { Static, TObject } from '@sinclair/typebox';
import type { Tensor, Tensor1D, Variable } from '@tensorflow/tfjs-core';
import type { SequenceShape } from '../data/dataset.ts';
import type { Random } from '../data/random.ts';
import type { ParameterIssue, Row } from '../parameters/row.ts';
import type { KernelEntry } from '../tensorflow/kernels/table.ts';

/** A batch on the back end. */
export interface TensorBatch {
  /** `values`: float32 `[batch, time, feature]`; `tokens`: int32 `[batch, time]`. */
  readonly inputs: Tensor;
  /** int32 `[batch]`; absent when every sequence has the full length. */
  readonly lengths: Tensor1D | undefined;
}

/** How the error is carried back through time: `steps` is n of the two styles. */
export interface Truncation {
  readonly steps: number;
  readonly style: 'chunked' | 'true';
}

export interface BuildContext {
  readonly shape: SequenceShape;
  /** The length of the last axis of the outputs. */
  readonly outputs: number;
  /** The run's own stream for a purpose: `random('init', 'cell/kernel')`. */
  readonly random: (...purpose: readonly (string | number)[]) => Random;
  readonly truncation: Truncation | undefined;
  /** Which of the row's kernels to train with; the default of this process where undefined. */
  readonly kernel?: string | undefined;
}

/** A network with its weights. Everything it allocates in `forward` is the caller's tape's to free. */
export interface Model {
  /** Trainable weights in a fixed order; the key is the name used in checkpoints and exports. */
  readonly variables: ReadonlyMap<string, Variable>;
  /** The implementation of the cell that runs, for the record: `block-lstm`, `composed-gru`. */
  readonly kernel: string;
  /**
   * Raw outputs (logits or values): `[batch, outputs]`, or `[batch, time, outputs]` for a task with a target at each step.
   * `step` keys the random draws of training (dropout masks), so that they depend on the step alone.
   */
  readonly forward: (
    batch: TensorBatch,
    mode: { readonly training: boolean; readonly step: number },
  ) => Tensor;
}

export interface ModelRow<P extends TObject = TObject> extends Row<P> {
  /** Combinations with a dataset or truncation that make no sense. */
  checkWith?(
    this: void,
    parameters: Static<P>,
    context: { readonly shape: SequenceShape; readonly truncation: Truncation | undefined },
  ): readonly ParameterIssue[];
  /** Exact number of trainable weights. */
  parameterCount?(
    this: void,
    parameters: Static<P>,
    context: Pick<BuildContext, 'shape' | 'outputs'>,
  ): number;
  /** The kernels that it can be trained with, the default first; a row without a choice has none. */
  kernels?(this: void, parameters: Static<P>): readonly Pick<KernelEntry, 'name'>[];
  /** Imports TensorFlow and builds the network; only a run's own process calls this. */
  build(this: void, parameters: Static<P>, context: BuildContext): Promise<Model>;
}
