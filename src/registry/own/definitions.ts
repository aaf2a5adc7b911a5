import type { Static, TObject, TProperties } from '@sinclair/typebox';
import type * as tf from '@tensorflow/tfjs-core';
import type { DataContext, Dataset, SequenceShape } from '../../data/dataset.ts';
import type { Task } from '../../data/task.ts';
import type { Loss, LossContext } from '../../losses/loss.ts';
import type { MeasureContext } from '../../metrics/measure.ts';
import type { Goal } from '../../metrics/metrics.ts';
import type { OwnMeasure } from '../../metrics/own-metric.ts';
import type { BuildContext, Model, Truncation } from '../../models/model.ts';
import type { OnnxContext } from '../../models/onnx.ts';
import type { Draw } from '../../models/initializers.ts';
import type { CommonParameters } from '../../optimizers/common.ts';
import type { Update } from '../../optimizers/optimizer.ts';
import type { ParameterIssue } from '../../parameters/row.ts';

/** Everything of TensorFlow.js' core, as the run's process has loaded it. */
export type TensorFlow = typeof tf;

/** The values of a definition's parameters: every default is filled in. */
export type ParametersOf<P extends TProperties> = Static<TObject<P>>;

interface Definition<N extends string, P extends TProperties> {
  /** What a spec writes: small letters, digits and hyphens. */
  readonly name: N;
  /** One line, for tables; the name by default. */
  readonly title?: string;
  /** A few sentences, with the source (paper or reference) where there is one. */
  readonly description?: string;
  /**
   * A schema for each parameter. Give a `default` unless it is required, bounds, and a `description`: they become
   * completion, hover texts and error messages.
   */
  readonly parameters: P;
  /** Combinations that make no sense although each value is allowed. */
  check?(this: void, parameters: ParametersOf<P>): readonly ParameterIssue[];
}

/**
 * How the first values of a weight are drawn. `glorot-uniform`: variance 2 / (inputs + outputs) (Glorot and Bengio
 * 2010); `he-normal`: variance 2 / inputs (He et al. 2015), where `outputs` is the last length of the shape and
 * `inputs` the product of the others. A function draws all values itself, row-major.
 */
export type Initializer = 'glorot-uniform' | 'he-normal' | 'zeros' | 'ones' | Draw;

/** What a model is built with. */
export interface ModelTools extends Omit<BuildContext, 'kernel'> {
  readonly tf: TensorFlow;
  /** True where the task has a target at each step: the outputs are then `[batch, time, outputs]`. */
  readonly outputPerStep: boolean;
  /**
   * Creates a trainable weight. Its first values come from the run's generator, from a stream named after the weight, so
   * neither the order of weights nor another weight changes them. Throws when the name is taken.
   */
  readonly weight: (name: string, shape: readonly number[], initializer: Initializer) => tf.Variable;
}

/** What a model's `build` returns. */
export interface BuiltModel {
  /**
   * Raw outputs (logits or values), float32: `[batch, outputs]`, or `[batch, time, outputs]` where the task has a target
   * at each step. What it allocates is freed after the step. Must not depend on steps past a sequence's length.
   */
  readonly forward: Model['forward'];
}

/** A model of one's own: `defineModel({ name, parameters, build })`. */
export interface ModelDefinition<
  N extends string = string,
  P extends TProperties = TProperties,
> extends Definition<N, P> {
  /** Combinations with a dataset or a truncation that make no sense. */
  checkWith?(
    this: void,
    parameters: ParametersOf<P>,
    context: { readonly shape: SequenceShape; readonly truncation: Truncation | undefined },
  ): readonly ParameterIssue[];
  /** Creates the weights and returns the network; called once a run, in the run's own process. */
  build(this: void, parameters: ParametersOf<P>, tools: ModelTools): BuiltModel | Promise<BuiltModel>;
  /**
   * Adds the trained network to an ONNX graph and returns the name of its raw outputs, as `forward` gives them outside
   * training. Without it, runs of the model have no `model.onnx`.
   */
  onnx?(this: void, parameters: ParametersOf<P>, context: OnnxContext): string;
}

/** A dataset of one's own: `defineDataset({ name, parameters, shape, load })`. */
export interface DatasetDefinition<
  N extends string = string,
  P extends TProperties = TProperties,
> extends Definition<N, P> {
  /** What the parameters alone show of the shape; cheap, because `unroll plan` asks for it. */
  shape(
    this: void,
    parameters: ParametersOf<P>,
    context: DataContext,
  ): SequenceShape | Promise<SequenceShape>;
  /**
   * Parameters that are paths of data files, or null. A relative path starts at the folder of the spec. The content of the
   * files is part of the run's id, and their paths are not.
   */
  readonly files?: readonly Extract<keyof P, string>[];
  /**
   * Identifies the content; part of the run's id. Default: the module, the parameters, and the content of `files`.
   */
  digest?(this: void, parameters: ParametersOf<P>, context: DataContext): string | Promise<string>;
  /** Loads or generates the data. Throws `DataError` for what the user can fix. */
  load(this: void, parameters: ParametersOf<P>, context: DataContext): Dataset | Promise<Dataset>;
}

/** An optimizer of one's own: `defineOptimizer({ name, learningRate, parameters, slots, build })`. */
export interface OptimizerDefinition<
  N extends string = string,
  P extends TProperties = TProperties,
> extends Definition<N, P> {
  /** The default of `learningRate`, a parameter of every optimizer beside `schedule`, `clipNorm` and `clipValue`. */
  readonly learningRate: number;
  /** State tensors that each weight has, of the weight's shape, and what they are filled with at first. */
  slots?(
    this: void,
    parameters: ParametersOf<P> & CommonParameters,
  ): readonly { readonly name: string; readonly fill: number }[];
  /** Returns the rule of one update of one weight; gradients are clipped and the learning rate is scheduled before. */
  build(
    this: void,
    parameters: ParametersOf<P> & CommonParameters,
    tools: { readonly tf: TensorFlow },
  ): Update | Promise<Update>;
}

/** A loss of one's own: `defineLoss({ name, tasks, parameters, build })`. */
export interface LossDefinition<
  N extends string = string,
  P extends TProperties = TProperties,
> extends Definition<N, P> {
  /** The tasks that it is for, such as `classification`. */
  readonly tasks: readonly Task['kind'][];
  /** Outputs that a network needs for each class, or for each number of a target; 1 by default. */
  outputsPerTarget?(this: void, parameters: ParametersOf<P>): number;
  /**
   * Returns the loss of each row, a function of `outputs` `[rows, outputs]` and `targets` (`[rows]` classes, int32, or
   * `[rows, numbers]`) that returns `[rows]`; rows are sequences, or steps where the task has a target at each step. With
   * `predictions`, metrics use what that makes of the raw outputs.
   */
  build(
    this: void,
    parameters: ParametersOf<P>,
    tools: LossContext & { readonly tf: TensorFlow },
  ): BuiltLoss | Promise<BuiltLoss>;
}

/** A metric of one's own: `defineMetric({ name, goal, unit, range, tasks, build })`. */
export interface MetricDefinition<N extends string = string> {
  /** The second half of `val/...` and `test/...`: small letters, digits and hyphens. */
  readonly name: N;
  /** One line, for tables; the name by default. */
  readonly title?: string;
  /** A few sentences, with the source (paper or reference) where there is one. */
  readonly description?: string;
  /** Which end of the range is the better one. */
  readonly goal: Goal;
  /** Such as `fraction` or `euros`. */
  readonly unit: string;
  /** The least and the largest possible value; infinite by default. */
  readonly range?: readonly [number, number];
  /** The tasks that it is measured of, such as `classification`. */
  readonly tasks: readonly Task['kind'][];
  /**
   * Returns what adds up the batches of one part, and the value of all of them. Called for each evaluation of the validation
   * part and of the test part.
   */
  build(this: void, context: MeasureContext): OwnMeasure;
}

type BuiltLoss = Loss['rows'] | Pick<Loss, 'rows' | 'predictions'>;

/** What `unroll.config.ts` exports by default. */
export interface Config {
  readonly models?: readonly ModelDefinition[];
  readonly datasets?: readonly DatasetDefinition[];
  readonly optimizers?: readonly OptimizerDefinition[];
  readonly losses?: readonly LossDefinition[];
  readonly metrics?: readonly MetricDefinition[];
}

/** Describes a model of one's own, with the types of its parameters taken from their schemas. */
export const defineModel = <const N extends string, P extends TProperties>(
  definition: ModelDefinition<N, P>,
): ModelDefinition<N, P> => definition;

/** Describes a dataset of one's own. */
export const defineDataset = <const N extends string, P extends TProperties>(
  definition: DatasetDefinition<N, P>,
): DatasetDefinition<N, P> => definition;

/** Describes an optimizer of one's own. */
export const defineOptimizer = <const N extends string, P extends TProperties>(
  definition: OptimizerDefinition<N, P>,
): OptimizerDefinition<N, P> => definition;

/** Describes a loss of one's own. */
export const defineLoss = <const N extends string, P extends TProperties>(
  definition: LossDefinition<N, P>,
): LossDefinition<N, P> => definition;

/** Describes a metric of one's own. */
export const defineMetric = <const N extends string>(definition: MetricDefinition<N>): MetricDefinition<N> =>
  definition;

/** The default export of `unroll.config.ts`: lists the entries that are added to the registries. */
export const defineConfig = <const C extends Config>(config: C): C => config;
