import type { Static, TObject } from '@sinclair/typebox';
import type { Tensor, Tensor1D, Tensor2D, Variable } from '@tensorflow/tfjs-core';
import type { SequenceShape } from '../data/dataset.ts';
import type { Random } from '../data/random.ts';
import type { Vectors } from '../data/vectors/vectors.ts';
import type { ParameterIssue, Row } from '../parameters/row.ts';
import type { Precision } from '../tensorflow/kernels/kernel.ts';
import type { OnnxContext } from './onnx.ts';

/** A batch on the back end. */
export interface TensorBatch {
  /** `values`: float32 `[batch, time, feature]`; `tokens`: int32 `[batch, time]`. */
  readonly inputs: Tensor;
  /** int32 `[batch]`; absent when every sequence has the full length. */
  readonly lengths: Tensor1D | undefined;
}

/** Truncated backpropagation: `steps` is the number of steps that an error is carried back. */
export interface Truncation {
  readonly steps: number;
  readonly style: 'chunked' | 'true';
}

export interface BuildContext {
  readonly shape: SequenceShape;
  /** The length of the last axis of the outputs. */
  readonly outputs: number;
  /** Returns the run's own random stream for a purpose: `random('init', 'layer1/forward/kernel')`. */
  readonly random: (...purpose: readonly (string | number)[]) => Random;
  readonly truncation: Truncation | undefined;
  /** The pretrained vectors of the tokens; absent where a model reads none, or its weights come from elsewhere. */
  readonly vectors?: Vectors | undefined;
  /** The operands of the products of a training step; float32 where undefined. All else is computed in float32. */
  readonly precision?: Precision | undefined;
  /** The row's kernel to train with; the default of this process where undefined. */
  readonly kernel?: string | undefined;
}

/** The state of a network that reads forwards, after some steps: that of each layer's cell. */
export type NetworkState = readonly (readonly [Tensor2D, ...Tensor2D[]])[];

/** `step` is part of the key of training's random draws (dropout masks), so that they do not depend on earlier steps. */
export interface ForwardMode {
  readonly training: boolean;
  readonly step: number;
}

/** A network with its weights. The caller frees the tensors that `forward` allocates, as with `tf.tidy`. */
export interface Model {
  /** Trainable weights in a fixed order; the key is the name used in checkpoints and exports. */
  readonly variables: ReadonlyMap<string, Variable>;
  /** Weights that stay as they begin, by name. */
  readonly fixed?: readonly string[];
  /** The name of the kernel that computes the cell, for the record: `block-lstm`, `composed-gru`. */
  readonly kernel: string;
  /**
   * Raw outputs (logits or values): `[batch, outputs]`, or `[batch, time, outputs]` for a task with a target per step.
   */
  readonly forward: (batch: TensorBatch, mode: ForwardMode) => Tensor;
  /**
   * Reads further steps, all of each sequence, from the state after the steps before; zero at first. Returns the outputs of
   * these steps and the state after them. Absent where a network needs a whole sequence. No gradient flows into the state
   * before.
   */
  readonly advance?: (
    batch: TensorBatch,
    before: NetworkState | undefined,
    mode: ForwardMode,
  ) => { readonly outputs: Tensor; readonly state: NetworkState };
}

export interface ModelRow<P extends TObject = TObject> extends Row<P> {
  /** Returns an issue for each parameter that does not fit the dataset or the truncation. */
  checkWith?(
    this: void,
    parameters: Static<P>,
    context: { readonly shape: SequenceShape; readonly truncation: Truncation | undefined },
  ): readonly ParameterIssue[];
  /** The variables of its networks in their order; absent in a row that is known only once it is built. */
  variables?(
    this: void,
    parameters: Static<P>,
    context: Pick<BuildContext, 'shape' | 'outputs'>,
  ): readonly { readonly name: string; readonly shape: readonly number[] }[];
  /** Exact number of trainable numbers. */
  parameterCount?(
    this: void,
    parameters: Static<P>,
    context: Pick<BuildContext, 'shape' | 'outputs'>,
  ): number;
  /** Whether its networks replace the features in `shape.input.embedded` by trained vectors. */
  readonly embedsCategories?: true;
  /** The parameters as the network has them, where one leaves a choice to the data; absent: as they are. */
  resolved?(
    this: void,
    parameters: Static<P>,
    context: { readonly shape: SequenceShape },
  ): Readonly<Record<string, unknown>>;
  /** Whether its networks have `advance` for a task of next-step prediction. */
  readonly carriesState?: true;
  /** Whether it has the parameter `embedding`, which may name files of pretrained vectors. */
  readonly readsVectors?: true;
  /** The kernels that can train it, the default first; absent in a row without a choice, which has float32 alone. */
  kernels?(this: void, parameters: Static<P>, precision?: Precision): readonly { readonly name: string }[];
  /**
   * Adds the trained network to an ONNX graph and returns the name of its raw outputs, as `forward` gives them in evaluation.
   * Built-in models need none; without it a model has no `model.onnx`.
   */
  onnx?(this: void, parameters: Static<P>, context: OnnxContext): string;
  /** Imports TensorFlow and builds the network; only a run's own process calls this. */
  build(this: void, parameters: Static<P>, context: BuildContext): Promise<Model>;
}
