import type { SourceRange } from '../../diagnostic/diagnostic.ts';
import type { Row } from '../../parameters/row.ts';
import { namedSections, type Registry } from '../../registry/rows.ts';
import type { Json } from '../../system/json.ts';
import type { Pruning } from '../config.ts';
import { writeValue, type PlainSchema } from '../describe.ts';
import type { Located } from '../located.ts';
import { sectionKinds, type SectionKind } from '../sections.ts';
import { trainSchema } from '../train-section.ts';

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

/** The ways to write the values of an axis, apart from a plain list. Each is the key of a mapping. */
export const axisKinds = ['range', 'linear', 'log', 'choice', 'uniform', 'logUniform', 'integer'] as const;

export type AxisKind = (typeof axisKinds)[number];

/** The keys that belong to each kind besides its own. */
export const axisKeys: Readonly<
  Record<AxisKind, { readonly needs: readonly string[]; readonly may: readonly string[] }>
> = {
  range: { needs: [], may: ['step'] },
  linear: { needs: ['steps'], may: [] },
  log: { needs: ['steps'], may: [] },
  choice: { needs: [], may: ['weights'] },
  uniform: { needs: [], may: ['step'] },
  logUniform: { needs: [], may: ['step'] },
  integer: { needs: [], may: ['step'] },
};

/** A parameter that an axis sets, as far as the values of the axis must fit it. */
export interface Target {
  readonly key: string;
  /** Whether the values must be whole numbers: those that fall between are rounded. */
  readonly integer: boolean;
  readonly accepts: (value: Json) => boolean;
  /** Values that the parameter may have, if it is not a number. */
  readonly names: readonly Json[];
}

/** Bounds that examples have, the first that the parameter accepts. */
const bounds: readonly (readonly [low: number, high: number])[] = [
  [16, 128],
  [1e-4, 1e-2],
  [0.1, 0.5],
  [1, 4],
  [10, 100],
  [100, 1000],
];

const boundsFor = ({ integer, accepts }: Target): readonly [number, number] =>
  bounds.find(([low, high]) => Number.isInteger(low) === integer && accepts(low) && accepts(high)) ??
  (integer ? [1, 4] : [0.1, 0.5]);

/** `1e-4` rather than 0.0001. */
const short = (value: number): string => (value < 0.01 ? value.toExponential() : String(value));

/** How each kind is written, with values that fit the parameter. */
export const axisForm = (kind: AxisKind, target: Target): string => {
  const [low, high] = boundsFor(target);
  const pair = `[${short(low)}, ${short(high)}]`;
  switch (kind) {
    case 'range':
      return `{ range: ${pair}, step: ${exampleStep(low, high)} }`;
    case 'linear':
    case 'log':
      return `{ ${kind}: ${pair}, steps: 3 }`;
    case 'choice': {
      const [first = low, second = high] = target.names;
      return `{ choice: [${writeValue(first)}, ${writeValue(second)}], weights: [2, 1] }`;
    }
    case 'uniform':
    case 'logUniform':
    case 'integer':
      return `{ ${kind}: ${pair} }`;
  }
};

/** A round step that makes a handful of values. */
export const exampleStep = (low: number, high: number): number => {
  const size = Math.abs(high - low) / 4 || 1;
  const round =
    Number.isInteger(low) && Number.isInteger(high)
      ? Math.max(1, 2 ** Math.floor(Math.log2(size)))
      : Number(size.toPrecision(1));
  return low <= high ? round : -round;
};

/** The form to show for a parameter: of whole numbers, of any numbers, or of names. */
export const exampleForm = (target: Target): string =>
  target.names.length > 0 ? exampleList(target) : axisForm(target.integer ? 'range' : 'log', target);

export const exampleList = (target: Target): string => {
  const [low, high] = boundsFor(target);
  return writeValue(target.names.length > 0 ? target.names.slice(0, 3) : [low, high]);
};

const anyTarget = { key: '', accepts: () => true, names: ['adam', 'sgd'] };

/** How each kind is written for a parameter that any value fits. */
export const axisForms = Object.fromEntries(
  axisKinds.map((kind) => [
    kind,
    axisForm(kind, { ...anyTarget, integer: kind === 'range' || kind === 'integer' }),
  ]),
) as Readonly<Record<AxisKind, string>>;

/**
 * Removes the noise of floating-point arithmetic: twelve significant digits, so that the middle of
 * `{ log: [1e-4, 1e-2], steps: 3 }` is 0.001 rather than 0.0009999999999999998.
 */
export const tidy = (value: number): number => Number(value.toPrecision(12));

/** `first`, `first + step`, ... up to `last`, which belongs to it when it is met. Empty when `step` leads away. */
export const rangeValues = (first: number, last: number, step: number): number[] => {
  const count = Math.floor((last - first) / step + 1e-9) + 1;
  return Array.from({ length: Math.max(0, count) }, (_, index) => tidy(first + index * step));
};

/** `steps` numbers at equal distances from `first` to `last`, both included exactly. */
export const linearValues = (first: number, last: number, steps: number): number[] =>
  parts(steps).map((part) => exactEnds(part, [first, last]) ?? tidy(first + (last - first) * part));

/** `steps` numbers at equal ratios from `first` to `last`, both above zero and included exactly. */
export const logValues = (first: number, last: number, steps: number): number[] =>
  parts(steps).map((part) => exactEnds(part, [first, last]) ?? tidy(first * (last / first) ** part));

const parts = (steps: number): number[] => Array.from({ length: steps }, (_, index) => index / (steps - 1));

const exactEnds = (part: number, [first, last]: readonly [number, number]): number | undefined =>
  part === 0 ? first : part === 1 ? last : undefined;

/** A path that a sweep may vary, in one row of a registry (or in `train`, where `row` is null). */
export interface SweepableParameter {
  /** `optimizer.schedule.name` */
  readonly key: string;
  readonly kind: SectionKind;
  readonly row: string | null;
  readonly schema: PlainSchema;
}

/** Every parameter of every row, by its path; one path may exist in several rows. */
export const sweepableParameters = (
  registry: Registry,
): ReadonlyMap<string, readonly SweepableParameter[]> => {
  const found = new Map<string, SweepableParameter[]>();
  const collect = (prefix: string, schema: PlainSchema, from: Omit<SweepableParameter, 'key' | 'schema'>) => {
    for (const [name, inner] of Object.entries(schema.properties ?? {})) {
      const key = `${prefix}.${name}`;
      const parameter = { ...from, key, schema: inner };
      const others = found.get(key);
      if (others) others.push(parameter);
      else found.set(key, [parameter]);
      if (inner.properties) collect(key, parameter.schema, from);
    }
  };
  for (const kind of namedSections) {
    const table: Readonly<Record<string, Row>> = registry[kind];
    for (const [row, { parameters }] of Object.entries(table))
      collect(kind, parameters as PlainSchema, { kind, row });
  }
  collect('train', trainSchema as PlainSchema, { kind: 'train', row: null });
  return found;
};

/** Whether a path is a whole section, such as `optimizer`. */
export const isSection = (key: string): key is SectionKind => sectionKinds.some((kind) => kind === key);
