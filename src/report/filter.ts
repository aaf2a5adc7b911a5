import { type Diagnostic, failure, type Result, success } from '../diagnostic/diagnostic.ts';
import { nearest } from '../diagnostic/nearest.ts';
import type { Run } from '../plan/plan.ts';
import type { Json } from '../system/json.ts';
import { runStates, type RunState } from '../record/run-state.ts';
import { flattenConfig } from './varying.ts';

const operators = ['!=', '>=', '<=', '=', '>', '<'] as const;
type Operator = (typeof operators)[number];

interface Condition {
  readonly path: string;
  readonly operator: Operator;
  /** Several, separated by commas, are alternatives: `model.hiddenSize=64,128`. */
  readonly values: readonly string[];
}

/**
 * The runs that fit every condition, such as `model.hiddenSize=64,128`, `learningRate<0.01` (the last part of a path
 * will do where it is the only such one), `seed=1` or `state!=done`.
 */
export const filterRuns = <T extends { readonly run: Run; readonly state: RunState }>(
  runs: readonly T[],
  written: readonly string[],
): Result<readonly T[]> => {
  const settings = runs.map((one): ReadonlyMap<string, Json> => {
    const flat = flattenConfig(one.run.config);
    return flat.set('seed', one.run.seed).set('state', one.state);
  });
  const paths = [...new Set(settings.flatMap((one) => [...one.keys()]))];
  const conditions: Condition[] = [];
  const errors: Diagnostic[] = [];
  for (const text of written) {
    const condition = parseCondition(text, paths);
    if (condition.ok) conditions.push(condition.value);
    else errors.push(...condition.errors);
  }
  if (errors.length > 0) return failure(...errors);
  return success(
    runs.filter((_, at) =>
      conditions.every((condition) => fits(settings[at]?.get(condition.path), condition)),
    ),
  );
};

const parseCondition = (text: string, paths: readonly string[]): Result<Condition> => {
  const found = operators
    .map((operator) => ({ operator, at: text.indexOf(operator) }))
    .filter(({ at }) => at > 0)
    .sort((a, b) => a.at - b.at || b.operator.length - a.operator.length)[0];
  if (!found) {
    return failure({
      code: 'bad-argument',
      severity: 'error',
      message: `The filter "${text}" compares nothing.`,
      expected: `a setting, one of ${operators.join(' ')}, and a value, such as model.hiddenSize=128`,
    });
  }
  const name = text.slice(0, found.at).trim();
  const value = text.slice(found.at + found.operator.length).trim();
  const ending = paths.filter((path) => path.endsWith(`.${name}`));
  const path = paths.includes(name) ? name : ending.length === 1 ? ending[0] : undefined;
  if (path === undefined) {
    const near = nearest(name, [...paths, ...paths.map((one) => one.slice(one.lastIndexOf('.') + 1))]);
    return failure({
      code: 'bad-argument',
      severity: 'error',
      message:
        ending.length > 1 ? `Several settings are called "${name}".` : `No run has the setting "${name}".`,
      expected:
        ending.length > 1 ? `one of ${ending.join(', ')}` : 'the path of a setting, `seed` or `state`',
      ...(near !== undefined && ending.length === 0 && { nearest: near }),
    });
  }
  const values = value.split(',').map((one) => one.trim());
  const ordered = found.operator.startsWith('<') || found.operator.startsWith('>');
  if (ordered && (values.length > 1 || value === '' || Number.isNaN(Number(value)))) {
    return failure({
      code: 'bad-argument',
      severity: 'error',
      message: `The filter "${text}" compares with something that is not a number.`,
      expected: 'one number',
      got: `"${value}"`,
    });
  }
  const unknown =
    path === 'state' ? values.find((one) => !(runStates as readonly string[]).includes(one)) : undefined;
  if (unknown !== undefined) {
    const near = nearest(unknown, runStates);
    return failure({
      code: 'bad-argument',
      severity: 'error',
      message: `No run is ever in the state "${unknown}".`,
      expected: `one of ${runStates.join(', ')}`,
      ...(near !== undefined && { nearest: near }),
    });
  }
  return success({ path, operator: found.operator, values });
};

const fits = (value: Json | undefined, { operator, values }: Condition): boolean => {
  const equal = values.some((one) => isEqual(value, one));
  const number = typeof value === 'number' ? value : NaN;
  const [bound] = values.map(Number);
  switch (operator) {
    case '=':
      return equal;
    case '!=':
      return !equal;
    case '<':
      return number < (bound ?? NaN);
    case '<=':
      return number <= (bound ?? NaN);
    case '>':
      return number > (bound ?? NaN);
    case '>=':
      return number >= (bound ?? NaN);
  }
};

/** Numbers by value, so that 1e-3 finds 0.001; everything else as written in a spec. */
const isEqual = (value: Json | undefined, written: string): boolean => {
  if (typeof value === 'number') return written !== '' && value === Number(written);
  return value === undefined
    ? false
    : (typeof value === 'string' ? value : JSON.stringify(value)) === written;
};
