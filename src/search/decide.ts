import { Type } from '@sinclair/typebox';
import { unreachable } from '../diagnostic/diagnostic.ts';
import { pruningSchema, type Pruning } from '../language/config.ts';
import type { Described } from '../system/schema.ts';
import { promote } from './asha.ts';
import { viewOf, type Decision, type Ledger, type View } from './ledger.ts';
import { judge } from './median.ts';

/** The settings by which a search decides. */
export const searchRulesSchema = Type.Object({
  /** How many points the sweep has in the end. The plan's runs are those that are known so far. */
  points: Type.Number(),
  /** Decision n knows the results of the decisions before n - lookahead + 1, whoever else has ended by then. */
  lookahead: Type.Number(),
  /** Which runs are trained to their end; null for all. */
  pruning: Type.Union([pruningSchema, Type.Null()]),
});

export type SearchRules = Described<typeof searchRulesSchema>;

export type Next =
  /** `known`: how many decisions' results it was taken from. */
  | { readonly kind: 'decided'; readonly decision: Decision; readonly known: number }
  /** The results that it hangs on are not there yet. */
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
  // With nothing to do, more results are waited for, one by one: that order, too, is nobody's accident.
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
