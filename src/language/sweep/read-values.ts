import type { Diagnostic } from '../../diagnostic/diagnostic.ts';
import { nearest } from '../../diagnostic/nearest.ts';
import { describeValue, writeValue } from '../describe.ts';
import { find, toJson, type Located, type LocatedMap } from '../located.ts';
import { isNonFinite, type Json } from '../../system/json.ts';
import {
  axisForm,
  axisKeys,
  axisKinds,
  exampleForm,
  exampleList,
  exampleStep,
  linearValues,
  logValues,
  rangeValues,
  tidy,
  type AxisKind,
  type Target,
} from './sweep.ts';

type Report = (diagnostic: Omit<Diagnostic, 'severity'>) => void;

/** An axis whose values are computed, as `{ log: [1e-4, 1e-2], steps: 5 }`. */
interface Expression {
  readonly target: Target;
  readonly node: LocatedMap;
  readonly report: Report;
}

/** A value of an axis: `node` is where it is written, or the whole expression that it was computed from. */
export interface AxisValue {
  readonly value: Json;
  readonly node: Located;
  readonly computed: boolean;
}

/** The values of one axis, as they are written: a list of choices or an interval of numbers. */
export type AxisValues =
  | {
      readonly kind: 'choices';
      readonly values: readonly AxisValue[];
      readonly weights: readonly number[] | null;
    }
  | {
      readonly kind: 'interval';
      readonly low: number;
      readonly high: number;
      readonly scale: 'linear' | 'log';
      readonly step: number | null;
    };

/** Most values of one axis. */
const maxValues = 100_000;

/** Reads what is written after an axis' path. Reports every mistake and then returns nothing. */
export const readAxisValues = (target: Target, node: Located, report: Report): AxisValues | undefined => {
  switch (node.kind) {
    case 'list':
      if (node.items.length === 0) {
        report({
          code: 'empty-axis',
          message: `The axis ${target.key} has no values, so the sweep would have no runs.`,
          at: node.at,
          expected: 'at least one value',
          got: 'an empty list',
          help: `List the values to try: ${exampleList(target)}; or remove the axis.`,
        });
        return undefined;
      }
      return choices(node.items);
    case 'map':
      return readExpression(target, node, report);
    case 'scalar':
      report({
        code: node.value === null ? 'empty-axis' : 'wrong-type',
        message: `The axis ${target.key} ${node.value === null ? 'has no values' : 'is one value rather than a list'}.`,
        at: node.at,
        expected: `a list of values, or an expression such as ${exampleForm(target)}`,
        got: describeValue(node.value),
        help:
          node.value === null
            ? `List the values to try: ${exampleList(target)}.`
            : `Write [${String(node.value)}], or set ${target.key} outside of the sweep.`,
      });
      return undefined;
  }
};

const choices = (items: readonly Located[], weights: readonly number[] | null = null): AxisValues => ({
  kind: 'choices',
  values: items.map((node) => ({ value: toJson(node), node, computed: false })),
  weights,
});

const readExpression = (target: Target, node: LocatedMap, report: Report): AxisValues | undefined => {
  const keys = [...node.entries.keys()];
  const kinds = axisKinds.filter((kind) => node.entries.has(kind));
  const [kind] = kinds;
  if (kind === undefined || kinds.length > 1) {
    const wholeSection = node.entries.has('name');
    const list = [...node.entries.values()].map(({ value }) => value).find((value) => value.kind === 'list');
    const near = axisKinds.find((known) => keys.some((key) => nearest(key, [known]) !== undefined));
    const best = near ?? kind;
    const form = best ? axisForm(best, target) : exampleForm(target);
    report({
      code: kind === undefined ? 'unknown-key' : 'conflict',
      message:
        kind === undefined
          ? `The axis ${target.key} is a mapping without ${axisKinds.slice(0, -1).join(', ')} or ${axisKinds.at(-1) ?? ''}.`
          : `The axis ${target.key} has two kinds of values: ${kinds.join(' and ')}.`,
      at: node.at,
      expected: `a list of values, or an expression such as ${form}`,
      got: describeValue(toJson(node)),
      ...(near !== undefined && kind === undefined && { nearest: near }),
      help: wholeSection
        ? `Put the blocks in a list: ${target.key}: [{ name: ... }, { name: ... }].`
        : list && kind === undefined && near === undefined
          ? `Write the list alone: \`${target.key}: ${writeValue(toJson(list))}\`.`
          : `Write for example ${form}.`,
    });
    return undefined;
  }
  return readKind(kind, { target, node, report });
};

const readKind = (kind: AxisKind, expression: Expression): AxisValues | undefined => {
  const { target, node, report } = expression;
  const known = [kind, ...axisKeys[kind].needs, ...axisKeys[kind].may];
  let fine = true;
  for (const [key, entry] of node.entries) {
    if (known.includes(key)) continue;
    fine = false;
    const near = nearest(
      key,
      known.filter((one) => !node.entries.has(one)),
    );
    report({
      code: 'unknown-key',
      message: `${key} does not belong to ${kind}.`,
      at: entry.key,
      expected: known.join(', '),
      got: key,
      ...(near !== undefined && { nearest: near }),
      help:
        near === undefined
          ? `Remove ${key}.`
          : `Did you mean ${near}? Write \`${near}:\` in place of \`${key}:\`.`,
    });
  }
  for (const key of axisKeys[kind].needs) {
    if (node.entries.has(key) || !fine) continue;
    fine = false;
    report({
      code: 'missing-key',
      message: `${kind} has no ${key}, the number of values.`,
      at: node.at,
      expected: `${key}: a whole number from 2`,
      got: 'nothing',
      help: helpForSteps(kind, expression),
    });
  }
  if (!fine) return undefined;
  if (kind === 'choice') return readWeighted(expression);

  const bounds = readBounds(kind, expression);
  const steps = readNumber('steps', expression, { least: 2, whole: true, example: 3 });
  const step = readNumber('step', expression, {
    least: kind === 'range' ? -Infinity : 0,
    whole: false,
    example: bounds ? exampleStep(...bounds) : 1,
  });
  if (!bounds || steps === 'wrong' || step === 'wrong') return undefined;
  const [low, high] = bounds;
  switch (kind) {
    case 'range': {
      const by = step ?? (low <= high ? 1 : -1);
      return numbers(expression, {
        values: () => rangeValues(low, high, by),
        count: (high - low) / by + 1,
        turned: `{ range: [${high}, ${low}], step: ${by} }`,
      });
    }
    case 'linear':
      return numbers(expression, { values: () => linearValues(low, high, steps ?? 2), count: steps ?? 2 });
    case 'log':
      return numbers(expression, { values: () => logValues(low, high, steps ?? 2), count: steps ?? 2 });
    case 'uniform':
    case 'logUniform':
    case 'integer': {
      const scale = kind === 'logUniform' ? 'log' : 'linear';
      const whole = kind === 'integer' || target.integer;
      return { kind: 'interval', low, high, scale, step: step ?? (whole ? 1 : null) };
    }
  }
};

/** The bounds that are written, with a number of values, and as an interval. */
const helpForSteps = (kind: AxisKind, { node, target }: Expression): string => {
  const search = kind === 'log' ? 'logUniform' : 'uniform';
  const written = node.entries.get(kind)?.value;
  const bounds = written && writeValue(toJson(written));
  const form = bounds ? `{ ${kind}: ${bounds}, steps: 3 }` : axisForm(kind, target);
  const interval = bounds ? `{ ${search}: ${bounds} }` : axisForm(search, target);
  return `Write ${form}; for any value in between, search with method: random and ${interval}.`;
};

const numbers = (
  { target, node, report }: Expression,
  {
    values,
    count,
    turned = '',
  }: {
    readonly values: () => readonly number[];
    readonly count: number;
    /** With the bounds swapped, for a range that leads away from its end. */
    readonly turned?: string;
  },
): AxisValues | undefined => {
  if (!(count >= 1) || count > maxValues) {
    report({
      code: count > maxValues ? 'too-many-runs' : 'empty-axis',
      message: `The axis ${target.key} has ${count > maxValues ? 'too many' : 'no'} values.`,
      at: node.at,
      expected: `from 1 to ${maxValues.toLocaleString('en')} values`,
      got:
        count > maxValues
          ? `${Math.floor(count).toLocaleString('en')} values`
          : 'a step that leads away from the end',
      help: count > maxValues ? 'Make step larger.' : `Swap the bounds, ${turned}, or turn the sign of step.`,
    });
    return undefined;
  }
  const rounded = target.integer ? [...new Set(values().map(Math.round))] : values();
  return {
    kind: 'choices',
    values: rounded.map((value) => ({ value: tidy(value), node, computed: true })),
    weights: null,
  };
};

const readWeighted = ({ target, node, report }: Expression): AxisValues | undefined => {
  const list = node.entries.get('choice')?.value;
  const written = node.entries.get('weights')?.value;
  const values = list && readAxisValues(target, list, report);
  if (values?.kind !== 'choices' || !written) return values;
  const weights = toJson(written);
  const fine =
    Array.isArray(weights) &&
    weights.length === values.values.length &&
    weights.every((one) => typeof one === 'number' && one > 0) &&
    Number.isFinite(weights.reduce((sum: number, one) => sum + Number(one), 0));
  if (fine) return { ...values, weights: weights as number[] };
  report({
    code: 'out-of-range',
    message: 'weights does not fit its choice.',
    at: written.at,
    expected: `a list of ${values.values.length} finite numbers above 0, one for each value`,
    got: describeValue(weights),
    help: `Write for example \`weights: ${writeValue(values.values.map((_, at) => values.values.length - at))}\`.`,
  });
  return undefined;
};

/** The two ends of a computed axis. Reports what is wrong with them and then returns nothing. */
const readBounds = (
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
const readNumber = (
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
