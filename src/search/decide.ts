import { Type } from '@sinclair/typebox';
import { unreachable } from '../diagnostic/diagnostic.ts';
import { pruningSchema, type Pruning } from '../language/config.ts';
import type { Described } from '../system/schema.ts';
import { promote } from './asha.ts';
import { viewOf, type Decision, type Ledger, type View } from './ledger.ts';
import { judge } from './median.ts';

/** The settings of a search that decides by results. */
export const searchRulesSchema = Type.Object({
  /** How many points the sweep has in the end. The plan's runs are those that are known so far. */
  points: Type.Number(),
  /** Decision n knows the results of the decisions before n - lookahead + 1, whatever else has ended by then. */
  lookahead: Type.Number(),
  /** Which runs are trained to their end; null for all. */
  pruning: Type.Union([pruningSchema, Type.Null()]),
});

type SearchRules = Described<typeof searchRulesSchema>;

type Next =
  /** `known`: how many decisions' results it was taken from. */
  | { readonly kind: 'decided'; readonly decision: Decision; readonly known: number }
  /** The results that it depends on are missing. */
  | { readonly kind: 'wait' }
  /** Nothing is left to decide. */
  | { readonly kind: 'over' };

/** The next decision of a search: continue a point that has earned it, or begin another one. */
export const nextDecision = (
  { points, lookahead, pruning }: SearchRules,
  ledger: Ledger,
  levelsOf: View['levelsOf'],
): Next => {
  const taken = ledger.decisions.length;
  const begun = ledger.decisions.filter(({ kind, level }) => kind === 'train' && level === 0).length;
  // With nothing to do, wait for more results one by one, so that this order is the same every time, too.
  for (let known = Math.max(0, taken - lookahead + 1); known <= taken; known++) {
    const view = viewOf(ledger, known, levelsOf);
    if (!view) return { kind: 'wait' };
    const goOn = pruning && goOnWith(pruning, { ...view, complete: view.complete && begun >= points });
    if (goOn) return { kind: 'decided', decision: goOn, known };
    if (begun < points)
      return { kind: 'decided', decision: { kind: 'train', point: begun, level: 0 }, known };
  }
  return { kind: 'over' };
};

const goOnWith = (pruning: Pruning, view: View): Decision | undefined => {
  switch (pruning.name) {
    case 'asha':
      return promote(view, pruning.reductionFactor);
    case 'median':
      return judge(view, pruning.minRuns);
    default:
      return unreachable(pruning);
  }
};

/** Training steps that a sweep with pruning may cost. */
export interface StepBudget {
  /** With results that let most runs continue. */
  readonly most: number;
  /** With results in no particular order; null if that depends on the results alone. */
  readonly usual: number | null;
  /** Without pruning. */
  readonly unpruned: number;
}

/** `steps`: for each run, the rising steps at which it is held against others, the last being its end. */
export const stepBudget = (steps: readonly (readonly number[])[], pruning: Pruning): StepBudget => {
  const unpruned = sum(steps.map((one) => one.at(-1) ?? 0));
  if (pruning.name === 'median') return { most: unpruned, usual: null, unpruned };
  const { reductionFactor } = pruning;
  const levels = Math.max(...steps.map((one) => one.length));
  let most = 0;
  let usual = 0;
  let mostRuns = steps.length;
  for (let level = 0; level < levels; level++) {
    const lengths = steps
      .filter((one) => level < one.length)
      .map((one) => (one[level] ?? 0) - (one[level - 1] ?? 0))
      .sort((a, b) => b - a);
    most += sum(lengths.slice(0, mostRuns));
    const usualRuns = Math.min(
      lengths.length,
      Math.max(1, Math.floor(steps.length / reductionFactor ** level)),
    );
    usual += (usualRuns * sum(lengths)) / Math.max(1, lengths.length);
    // The worst `reductionFactor - 1` runs of a level never continue, however late the better ones arrive.
    mostRuns = Math.max(1, mostRuns - reductionFactor + 1);
  }
  return { most, usual: Math.round(usual), unpruned };
};

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
