/**
 * A search is a list of decisions. Each is taken from the decisions before it and from the results of those that are at
 * least `lookahead` back, never from who happened to end first: the same plan, the same results, the same decisions,
 * whatever the concurrency and however often the sweep was interrupted.
 */
export type Decision =
  /** Train a point to its pruning step number `level` (the last one is its end); level 0 begins it. */
  | { readonly kind: 'train'; readonly point: number; readonly level: number }
  /** End a point for good where it is. */
  | { readonly kind: 'prune'; readonly point: number; readonly level: number };

/** What is settled so far. */
export interface Ledger {
  readonly decisions: readonly Decision[];
  /**
   * What each decision came to, where it is known: larger is better, a failure is minus infinity. Index as in `decisions`;
   * undefined while it is trained. A `prune` is settled at once, with minus infinity.
   */
  readonly results: readonly (number | undefined)[];
}

/** What a rule sees: the decisions, and the results of the first few of them. */
export interface View {
  readonly decisions: readonly Decision[];
  /** Results by point and level: `results[point][level]`. */
  readonly results: ReadonlyMap<number, ReadonlyMap<number, number>>;
  /** Number of levels of a point. */
  readonly levelsOf: (point: number) => number;
  /** Whether the point continued to the level (or ended there). */
  readonly isDecided: (point: number, level: number) => boolean;
  /** Whether every decision's result is in view. */
  readonly complete: boolean;
}

/** The view after the results of the first `known` decisions; undefined while one of them is not there. */
export const viewOf = (
  { decisions, results }: Ledger,
  known: number,
  levelsOf: View['levelsOf'],
): View | undefined => {
  const byPoint = new Map<number, Map<number, number>>();
  for (const [index, { kind, point, level }] of decisions.slice(0, known).entries()) {
    const result = results[index];
    if (result === undefined) return undefined;
    if (kind === 'prune') continue;
    const ofPoint = byPoint.get(point) ?? new Map<number, number>();
    byPoint.set(point, ofPoint.set(level, result));
  }
  // A pruned point is decided at the level that it would have gone to.
  const decided = new Set(decisions.map(({ point, level }) => `${point}/${level}`));
  return {
    decisions,
    results: byPoint,
    levelsOf,
    isDecided: (point, level) => decided.has(`${point}/${level}`),
    complete: known === decisions.length,
  };
};
