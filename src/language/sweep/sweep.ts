import type { SourceRange } from '../../diagnostic/diagnostic.ts';
import type { Located } from '../located.ts';
import type { Pruning } from '../config.ts';
import type { Json } from '../../system/json.ts';

/** One value of one path, and where it is written. */
export interface Choice {
  /** `model.hiddenSize`, and the same as keys. */
  readonly key: string;
  readonly path: readonly string[];
  readonly value: Json;
  readonly at: SourceRange;
  /** The value as written, if the spec contains it literally. */
  readonly node: Located | undefined;
  /** Distinguishes this choice from every other one of the sweep; null for a value drawn from an interval. */
  readonly id: number | null;
}

/** A point of the space: what it sets, in the order of the file. */
export type Point = readonly Choice[];

/** One direction of the space. */
export type Dimension =
  /** Each option sets all of `keys` together: one for an axis, several for a zip. */
  | {
      readonly kind: 'choices';
      readonly keys: readonly string[];
      readonly options: readonly Point[];
      /** Relative frequency of each option for random search; null for equal ones. */
      readonly weights: readonly number[] | null;
      readonly at: SourceRange;
    }
  /** Every number of an interval; for random search only. */
  | {
      readonly kind: 'interval';
      readonly keys: readonly string[];
      readonly low: number;
      readonly high: number;
      readonly scale: 'linear' | 'log';
      /** Values are `low + n * step`; null for every value in between. */
      readonly step: number | null;
      readonly at: SourceRange;
    };

/** A path and the value it must have. */
export interface Condition {
  readonly key: string;
  readonly path: readonly string[];
  readonly value: Json;
  readonly at: SourceRange;
}

/** A rule applies to a point when all of its conditions do. */
export interface Rule {
  readonly conditions: readonly Condition[];
  readonly at: SourceRange;
}

export interface WhenRule extends Rule {
  readonly dimensions: readonly Dimension[];
}

/** How points are taken from the space. */
export type SweepMethod = 'grid' | 'random' | 'quasi-random' | 'tpe';

/** A validated `sweep` section. */
export interface Sweep {
  readonly method: SweepMethod;
  /** How many points the search methods draw. */
  readonly samples: number;
  /** Decides what the search methods draw. */
  readonly seed: number;
  readonly dimensions: readonly Dimension[];
  readonly when: readonly WhenRule[];
  readonly exclude: readonly Rule[];
  readonly add: readonly Point[];
  readonly maxRuns: number;
  /** How many decisions may be under way at once, where a sweep decides by results. */
  readonly lookahead: number;
  readonly pruning: Pruning | null;
  readonly at: SourceRange;
}
