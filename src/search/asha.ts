import type { Decision, View } from './ledger.ts';

/**
 * Asynchronous successive halving: L. Li et al., "A System for Massively Parallel Hyperparameter Tuning", MLSys 2020,
 * algorithm 2. A point is promoted while it is among the best 1 / reductionFactor of all that were measured at its
 * level; the highest level first. Beyond the paper, whose search never ends: when all points are measured and none has
 * been trained to its end, the best of the highest level is.
 */
export const promote = (view: View, reductionFactor: number): Decision | undefined => {
  const levels = measuredByLevel(view);
  for (const [level, measured] of levels) {
    const best = measured.slice(0, Math.floor(measured.length / reductionFactor));
    const found = best.find((one) => mayGoOn(view, one, level));
    if (found) return { kind: 'train', point: found.point, level: level + 1 };
  }
  return view.complete ? lastSurvivor(view, levels) : undefined;
};

interface Measured {
  readonly point: number;
  readonly value: number;
}

/** Points by level, the highest level first; within one, the best first and the older of equals. */
const measuredByLevel = ({ results }: View): readonly (readonly [number, readonly Measured[]])[] => {
  const levels = new Map<number, Measured[]>();
  for (const [point, values] of results) {
    for (const [level, value] of values) levels.set(level, [...(levels.get(level) ?? []), { point, value }]);
  }
  return [...levels]
    .sort(([a], [b]) => b - a)
    .map(([level, measured]) => [
      level,
      measured.sort((a, b) => (a.value === b.value ? a.point - b.point : b.value - a.value)),
    ]);
};

/** A failed point goes no further, nor does one that has reached its end or was promoted before. */
const mayGoOn = (view: View, { point, value }: Measured, level: number): boolean =>
  value !== -Infinity && level + 1 < view.levelsOf(point) && !view.isDecided(point, level + 1);

const lastSurvivor = (
  view: View,
  levels: readonly (readonly [number, readonly Measured[]])[],
): Decision | undefined => {
  const finished = [...view.results].some(([point, values]) => {
    const value = values.get(view.levelsOf(point) - 1);
    return value !== undefined && value !== -Infinity;
  });
  if (finished) return undefined;
  for (const [level, measured] of levels) {
    const found = measured.find((one) => mayGoOn(view, one, level));
    if (found) return { kind: 'train', point: found.point, level: level + 1 };
  }
  return undefined;
};
