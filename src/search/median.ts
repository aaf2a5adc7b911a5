import { median } from 'simple-statistics';
import type { Decision, View } from './ledger.ts';

/**
 * The median stopping rule: D. Golovin et al., "Google Vizier", KDD 2017. A point ends when its best value so far is
 * strictly worse than the median of the other points' running averages up to the same level; points that were trained
 * to their end are asked, and none is ended before there are `minRuns` of them.
 */
export const judge = (view: View, minRuns: number): Decision | undefined => {
  for (const { kind, point, level } of view.decisions) {
    const values = view.results.get(point);
    if (kind === 'prune' || !values?.has(level)) continue;
    if (level + 1 >= view.levelsOf(point) || view.isDecided(point, level + 1)) continue;
    const best = Math.max(...upTo(values, level));
    const averages = finishedAverages(view, point, level);
    const worse = averages.length >= minRuns && best < median(averages);
    return { kind: worse || best === -Infinity ? 'prune' : 'train', point, level: level + 1 };
  }
  return undefined;
};

const upTo = (values: ReadonlyMap<number, number>, level: number): number[] =>
  [...values].filter(([one]) => one <= level).map(([, value]) => value);

/** Running averages, up to a level, of the other points that were trained to their end. */
const finishedAverages = (view: View, point: number, level: number): number[] =>
  [...view.results]
    .filter(([other, values]) => other !== point && values.has(view.levelsOf(other) - 1))
    .map(([, values]) => upTo(values, level))
    .filter((values) => values.length > 0 && !values.includes(-Infinity))
    .map((values) => values.reduce((sum, value) => sum + value, 0) / values.length);
