import { unreachable } from '../diagnostic/diagnostic.ts';
import type { Pruning, Search } from '../plan/plan.ts';
import { promote } from './asha.ts';
import { viewOf, type Decision, type Ledger, type View } from './ledger.ts';
import { judge } from './median.ts';

export type Next =
  /** `known`: how many decisions' results it was taken from. */
  | { readonly kind: 'decided'; readonly decision: Decision; readonly known: number }
  /** The results that it hangs on are not there yet. */
  | { readonly kind: 'wait' }
  /** Nothing is left to decide. */
  | { readonly kind: 'over' };

/** The next decision of a search: go on with a point that has earned it, or begin another one. */
export const nextDecision = (
  { points, lookahead, pruning }: Pick<Search, 'points' | 'lookahead' | 'pruning'>,
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
