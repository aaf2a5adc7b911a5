import type { Json } from '../../system/json.ts';
import { writeValue } from '../describe.ts';

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
  /** Values that the parameter may have, where it is no number. */
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
