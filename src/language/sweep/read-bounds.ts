import type { Diagnostic } from '../../diagnostic/diagnostic.ts';
import { isNonFinite } from '../../system/json.ts';
import { describeValue } from '../describe.ts';
import { find, toJson, type LocatedMap } from '../located.ts';
import { axisForm, type AxisKind, type Target } from './axis-kinds.ts';

export type Report = (diagnostic: Omit<Diagnostic, 'severity'>) => void;

/** An axis whose values are computed, as `{ log: [1e-4, 1e-2], steps: 5 }`. */
export interface Expression {
  readonly target: Target;
  readonly node: LocatedMap;
  readonly report: Report;
}

/** The two ends of a computed axis. Reports what is wrong with them and then returns nothing. */
export const readBounds = (
  kind: AxisKind,
  { node, report, target }: Expression,
): readonly [number, number] | undefined => {
  const written = node.entries.get(kind)?.value;
  const items = written?.kind === 'list' ? written.items.map(toJson) : [];
  const [low, high] = items;
  const numeric = typeof low === 'number' && typeof high === 'number';
  const log = kind === 'log' || kind === 'logUniform';
  const wrong = (got: string, help: string, expected = 'two numbers: [low, high]'): undefined => {
    report({
      code: numeric ? 'out-of-range' : 'wrong-type',
      message: `The bounds of ${kind} are wrong.`,
      at: written?.at ?? node.at,
      expected,
      got,
      help,
    });
    return undefined;
  };
  if (!numeric || items.length !== 2) {
    wrong(
      describeValue(written ? toJson(written) : undefined),
      `Write for example ${axisForm(kind, target)}.`,
    );
    return;
  }
  const infinite = items.findIndex(isNonFinite);
  if (infinite !== -1) {
    report({
      code: 'out-of-range',
      message: `A bound of ${kind} is out of range.`,
      at: find(node, kind, infinite)?.at ?? node.at,
      expected: 'a finite number',
      got: describeValue(items[infinite]),
      help: `Write for example ${axisForm(kind, target)}.`,
    });
    return;
  }
  if (log && (low <= 0 || high <= 0)) {
    const exponents = low < 0 && Number.isInteger(low);
    wrong(
      `[${low}, ${high}]`,
      exponents
        ? `Bounds are real values, never exponents: 1e${low} in place of ${low}, as in ${axisForm(kind, target)}.`
        : `A logarithmic axis cannot reach zero: begin at a small number, as in ${axisForm(kind, target)}.`,
      'two numbers above 0',
    );
    return;
  }
  if (kind === 'integer' && !(Number.isInteger(low) && Number.isInteger(high))) {
    wrong(`[${low}, ${high}]`, `Write for example ${axisForm(kind, target)}.`, 'two whole numbers');
    return;
  }
  const distance = log ? Math.max(low, high) / Math.min(low, high) : high - low;
  if (isNonFinite(distance)) {
    wrong(
      `[${low}, ${high}]`,
      'Move the bounds closer together.',
      `two numbers whose ${log ? 'ratio' : 'difference'} is below 1e308`,
    );
    return;
  }
  if (low === high || (low > high && ['uniform', 'logUniform', 'integer'].includes(kind))) {
    wrong(
      `[${low}, ${high}]`,
      low === high ? `For one value write [${low}].` : `Swap the bounds: [${high}, ${low}].`,
      low === high ? 'two different bounds' : 'the smaller bound first',
    );
    return;
  }
  return [low, high];
};

/** `step` or `steps` of a computed axis; undefined where it is not written. */
export const readNumber = (
  key: 'step' | 'steps',
  { node, report }: Expression,
  { least, whole, example }: { readonly least: number; readonly whole: boolean; readonly example: number },
): number | undefined | 'wrong' => {
  const written = node.entries.get(key)?.value;
  if (!written) return undefined;
  const value = toJson(written);
  if (
    typeof value === 'number' &&
    Number.isFinite(value) &&
    value !== 0 &&
    value >= least &&
    (!whole || Number.isInteger(value))
  )
    return value;
  report({
    code: typeof value === 'number' ? 'out-of-range' : 'wrong-type',
    message: `${key} ${typeof value === 'number' ? 'is out of range' : 'has the wrong type'}.`,
    at: written.at,
    expected: whole
      ? `a whole number from ${least}`
      : least === 0
        ? 'a finite number above 0'
        : 'a finite number other than 0',
    got: describeValue(value),
    help: `Write for example \`${key}: ${example}\`.`,
  });
  return 'wrong';
};
