import type { Static, TObject, TProperties } from '@sinclair/typebox';
import type { CommonParameters } from '../optimizers/common.ts';
import type { Config } from '../registry/own/definitions.ts';
import type { datasets, losses, models, optimizers } from '../registry/rows.ts';
import type { MlflowSettings, Objective, TrainConfig } from '../language/config.ts';
import type { Plan } from '../plan/plan.ts';
import type { Json } from '../system/json.ts';
import type { RunSection } from '../language/run-section.ts';

/** Every key optional, at any depth: what is left out has its default. */
type Chosen<T> = {
  readonly [K in keyof T]?: T[K] extends object
    ? T[K] extends readonly unknown[]
      ? T[K]
      : Chosen<T[K]>
    : T[K];
};

/** `name` and the parameters of each entry that comes with Unroll. */
type BuiltIn<Table> = {
  [N in keyof Table & string]: Table[N] extends { readonly parameters: infer P extends TObject }
    ? { readonly name: N } & Chosen<Static<P>>
    : never;
}[keyof Table & string];

/** The same of the user's own entry; `Common`: parameters that every entry of the section has. */
type Own<D, Common = unknown> = D extends {
  readonly name: infer N extends string;
  readonly parameters: infer P extends TProperties;
}
  ? { readonly name: N } & Chosen<Static<TObject<P>> & Common>
  : never;

type Listed<C, K extends keyof Config> = C extends { readonly [Key in K]: readonly (infer D)[] } ? D : never;

/** A dataset with its parameters, of those that come with Unroll and those of a config. */
export type DatasetSection<C = unknown> = BuiltIn<typeof datasets> | Own<Listed<C, 'datasets'>>;
/** A model with its parameters. */
export type ModelSection<C = unknown> = BuiltIn<typeof models> | Own<Listed<C, 'models'>>;
/** An optimizer with its parameters. */
export type OptimizerSection<C = unknown> =
  BuiltIn<typeof optimizers> | Own<Listed<C, 'optimizers'>, CommonParameters>;

/** A loss with its parameters. */
export type LossSection<C = unknown> = BuiltIn<typeof losses> | Own<Listed<C, 'losses'>>;

/** The ways to write the values of an axis of numbers, besides a list. */
export type AxisValues =
  | { readonly range: readonly [number, number]; readonly step?: number }
  | { readonly linear: readonly [number, number]; readonly steps: number }
  | { readonly log: readonly [number, number]; readonly steps: number }
  | { readonly uniform: readonly [number, number]; readonly step?: number }
  | { readonly logUniform: readonly [number, number]; readonly step?: number }
  | { readonly integer: readonly [number, number]; readonly step?: number }
  | { readonly choice: readonly Json[]; readonly weights?: readonly number[] };

type Keys<T> = T extends unknown ? keyof T & string : never;
type ValueOf<T, K extends string> = T extends { readonly [Key in K]?: infer V } ? V : never;

/** The paths of a section and the values at them. */
type Paths<Prefix extends string, Section> = {
  readonly [K in Keys<Section> as `${Prefix}.${K}`]?: ValueOf<Section, K>;
} & { readonly [K in Prefix]?: Section };

type AllPaths<C> = Paths<'dataset', DatasetSection<C>> &
  Paths<'model', ModelSection<C>> &
  Paths<'optimizer', OptimizerSection<C>> &
  Paths<'loss', LossSection<C>> &
  Paths<'train', Chosen<TrainConfig>> & {
    readonly [
      K in keyof CommonParameters['schedule'] as `optimizer.schedule.${K}`
    ]?: CommonParameters['schedule'][K];
  };

/** Values of some paths. */
export type Values<C = unknown> = { readonly [P in keyof AllPaths<C>]?: AllPaths<C>[P] };

/** Axes: paths with the values to try. */
export type Axes<C = unknown> = {
  readonly [P in keyof AllPaths<C>]?: readonly Exclude<AllPaths<C>[P], undefined>[] | AxisValues;
};

/** What turns one experiment into many runs, as a spec's `sweep`. */
export interface SweepInput<C = unknown> {
  readonly method?: 'grid' | 'random' | 'quasi-random' | 'tpe';
  readonly samples?: number;
  readonly seed?: number;
  readonly axes?: Axes<C>;
  readonly zip?: readonly Axes<C>[];
  readonly when?: readonly { readonly if: Values<C>; readonly axes: Axes<C> }[];
  readonly exclude?: readonly Values<C>[];
  readonly add?: readonly Values<C>[];
  readonly maxRuns?: number;
}

/** An experiment as a program writes it: the keys and meanings of a spec in YAML. */
export interface Experiment<C = unknown> {
  readonly name: string;
  readonly dataset: DatasetSection<C>;
  readonly model: ModelSection<C>;
  readonly optimizer: OptimizerSection<C>;
  /** Default: what the task of the dataset is trained with. */
  readonly loss?: LossSection<C>;
  readonly train: Chosen<TrainConfig>;
  /** The goal follows from the metric. */
  readonly objective?: Pick<Objective, 'metric'> & Partial<Objective>;
  readonly sweep?: SweepInput<C>;
  /** A number means the seeds from 1 to it. */
  readonly seeds?: number | readonly number[];
  readonly run?: Chosen<RunSection>;
  readonly tracking?: { readonly mlflow?: MlflowSettings };
  readonly expect?: Plan['expect'];
}

/**
 * Describes an experiment. Names, parameters and axis paths are checked by the compiler against the registries, and
 * against a config's own entries where it is given; values are checked when it is planned.
 */
export const defineExperiment: DefineExperiment = (experiment) => experiment;

/** Of the config only the type is needed: children load it from its file. */
type DefineExperiment = <const C extends Config = Readonly<Record<string, never>>>(
  experiment: Experiment<C>,
  config?: C,
) => Experiment<C>;
