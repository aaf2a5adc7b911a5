import {
  type Diagnostic,
  failure,
  type Result,
  type SourceRange,
  success,
} from '../diagnostic/diagnostic.ts';
import type { Run } from '../plan/plan.ts';
import type { Json } from '../system/json.ts';
import type { RunState } from '../record/run-state.ts';
import { type Condition, type ConditionOption, fits, readCondition, readSetting } from './condition.ts';
import { formatValue } from '../terminal/format.ts';
import { flatSettings } from '../plan/flat-settings.ts';

/** Where conditions are written, if that is a command line. */
export interface ConditionPlace {
  readonly option: ConditionOption;
  readonly at: (written: string) => SourceRange;
}

/**
 * The runs that fit every condition, such as `model.hiddenSize=64,128`, `learningRate<0.01`, `seed=1` or
 * `state!=done`.
 */
export const filterRuns = <T extends { readonly run: Run; readonly state: RunState }>(
  runs: readonly T[],
  written: readonly string[],
  place?: ConditionPlace,
): Result<readonly T[]> => {
  const settings = runs.map((one): ReadonlyMap<string, Json> => {
    const flat = flatSettings(one.run);
    return flat.set('seed', one.run.seed).set('state', one.state);
  });
  const known = valuesOf(settings);
  const conditions: Condition[] = [];
  const errors: Diagnostic[] = [];
  for (const text of written) {
    const condition = readCondition(text, known, place?.option);
    if (condition.ok) conditions.push(condition.value);
    else
      errors.push(...condition.errors.map((error) => ({ ...(place && { at: place.at(text) }), ...error })));
  }
  if (errors.length > 0) return failure(...errors);
  return success(
    runs.filter((_, at) =>
      conditions.every((condition) => fits(settings[at]?.get(condition.path), condition)),
    ),
  );
};

/** The paths of settings as `--group-by` names them. */
export const settingPaths = (runs: readonly Run[], names: readonly string[]): Result<readonly string[]> => {
  const known = valuesOf(runs.map((run) => flatSettings(run).set('seed', run.seed)));
  const found = names.map((name) => readSetting(name, known));
  const errors = found.flatMap((one) => (one.ok ? [] : one.errors));
  return errors.length > 0
    ? failure(...errors)
    : success(found.flatMap((one) => (one.ok ? [one.value] : [])));
};

const valuesOf = (settings: readonly ReadonlyMap<string, Json>[]): ReadonlyMap<string, readonly Json[]> => {
  const values = new Map<string, Map<string, Json>>();
  for (const one of settings) {
    for (const [path, value] of one) {
      const seen = values.get(path) ?? new Map<string, Json>();
      values.set(path, seen.set(JSON.stringify(value), value));
    }
  }
  return new Map([...values].map(([path, seen]) => [path, [...seen.values()].sort(inOrder)]));
};

const inOrder = (a: Json, b: Json): number =>
  typeof a === 'number' && typeof b === 'number' ? a - b : formatValue(a).localeCompare(formatValue(b), 'en');
