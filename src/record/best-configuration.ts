import { mean } from 'simple-statistics';
import type { Objective } from '../language/config.ts';
import { foldOf, type Run } from '../plan/plan.ts';

/** The best configuration of runs whose scores can be compared. */
export interface BestConfiguration {
  /** Over its runs that have a value. */
  readonly mean: number;
  readonly count: number;
  /** The best of these runs. */
  readonly run: Run;
}

/**
 * The configuration with the best mean over seeds and folds, as `unroll compare` ranks them: the best single run may belong to
 * another one. Of equal means the first counts. Values that are not finite do not; undefined if there is none.
 */
export const bestConfiguration = (
  runs: readonly Run[],
  valueOf: (run: Run) => number | undefined,
  { goal }: Pick<Objective, 'goal'>,
): BestConfiguration | undefined => {
  const isBetter = (a: number, b: number) => (goal === 'maximize' ? a > b : a < b);
  const members = new Map<string, { readonly run: Run; readonly value: number }[]>();
  for (const run of runs) {
    const value = valueOf(run);
    if (value === undefined || !Number.isFinite(value)) continue;
    const list = members.get(run.cell);
    if (list) list.push({ run, value });
    else members.set(run.cell, [{ run, value }]);
  }
  let best:
    { readonly mean: number; readonly list: { readonly run: Run; readonly value: number }[] } | undefined;
  for (const list of members.values()) {
    const center = mean(list.map(({ value }) => value));
    if (!best || isBetter(center, best.mean)) best = { mean: center, list };
  }
  const [first, ...others] = [...(best?.list ?? [])].sort(
    (a, b) => (foldOf(a.run) ?? 0) - (foldOf(b.run) ?? 0) || a.run.seed - b.run.seed,
  );
  if (!best || !first) return undefined;
  const { run } = others.reduce((one, other) => (isBetter(other.value, one.value) ? other : one), first);
  return { mean: best.mean, count: best.list.length, run };
};
