import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { randomStream } from '../../src/data/random.ts';
import { stepBudget, nextDecision } from '../../src/search/decide.ts';
import type { Decision } from '../../src/search/ledger.ts';
import type { Pruning } from '../../src/language/config.ts';

const shared = { metric: 'val/accuracy', goal: 'maximize', minSteps: 1 } as const;
const asha = (reductionFactor: number): Pruning => ({ name: 'asha', ...shared, reductionFactor });
const median = (minRuns: number): Pruning => ({ name: 'median', ...shared, everySteps: 1, minRuns });

interface World {
  readonly points: number;
  readonly lookahead: number;
  readonly pruning: Pruning | null;
  /** What point p comes to at level l. */
  readonly value: (point: number, level: number) => number;
  readonly levels: number;
}

/** Plays a search: at most `processes` at once, which end in an order of their own. */
const play = (world: World, processes: number, order: number): Decision[] => {
  const random = randomStream(order, 'ends');
  const decisions: Decision[] = [];
  const results: (number | undefined)[] = [];
  const running: number[] = [];
  for (;;) {
    const next = nextDecision(world, { decisions, results }, () => world.levels);
    if (next.kind === 'over') break;
    if (next.kind === 'wait' || running.length >= processes) {
      const [index = 0] = running.splice(random.integer(running.length), 1);
      const { point, level } = decisions[index] as Decision;
      results[index] = world.value(point, level);
      continue;
    }
    decisions.push(next.decision);
    if (next.decision.kind === 'prune') results[decisions.length - 1] = -Infinity;
    else running.push(decisions.length - 1);
  }
  return decisions;
};

const worlds = fc
  .record({
    points: fc.integer({ min: 1, max: 30 }),
    lookahead: fc.integer({ min: 1, max: 6 }),
    levels: fc.integer({ min: 1, max: 4 }),
    seed: fc.nat(1000),
    failures: fc.constantFrom(0, 0.2),
    pruning: fc.constantFrom(null, asha(2), asha(3), median(1), median(4)),
  })
  .map(({ seed, failures, ...world }): World => {
    const values = (point: number, level: number) => randomStream(seed, point, level).uniform();
    return {
      ...world,
      levels: world.pruning ? world.levels : 1,
      value: (point, level) => (values(point, -1) < failures ? -Infinity : values(point, level)),
    };
  });

describe('a search', () => {
  it('decides the same whatever the concurrency and whoever ends first', () => {
    fc.assert(
      fc.property(worlds, fc.integer({ min: 2, max: 8 }), fc.nat(1000), (world, processes, order) => {
        expect(play(world, processes, order)).toEqual(play(world, 1, 0));
      }),
      { numRuns: 200 },
    );
  });

  it('begins each point in order, and trains each level once and after the one before', () => {
    fc.assert(
      fc.property(worlds, (world) => {
        const trained = play(world, 4, 1).filter(({ kind }) => kind === 'train');
        const begun = trained.filter(({ level }) => level === 0).map(({ point }) => point);
        expect(begun).toEqual(Array.from({ length: world.points }, (_, point) => point));
        const levels = new Map<number, number>();
        for (const { point, level } of trained) {
          expect(level).toBe((levels.get(point) ?? -1) + 1);
          levels.set(point, level);
        }
      }),
      { numRuns: 200 },
    );
  });

  it('trains at least one point to its end, unless all fail, and costs no more than was said', () => {
    fc.assert(
      fc.property(worlds, (world) => {
        const trained = play(world, 4, 1).filter(({ kind }) => kind === 'train');
        const works = Array.from({ length: world.points }, (_, point) => point).some(
          (point) => world.value(point, 0) !== -Infinity,
        );
        if (works) expect(trained.some(({ level }) => level === world.levels - 1)).toBe(true);
        if (!world.pruning) return;
        const steps = Array.from({ length: world.points }, () =>
          Array.from({ length: world.levels }, (_, level) => 3 ** level),
        );
        const cost = trained.reduce(
          (sum, { level }) => sum + 3 ** level - (level > 0 ? 3 ** (level - 1) : 0),
          0,
        );
        expect(cost).toBeLessThanOrEqual(stepBudget(steps, world.pruning).most);
      }),
      { numRuns: 300 },
    );
  });
});

describe('asha', () => {
  it('promotes the best third of a level once there are three, the highest level first', () => {
    const value = (point: number, level: number) => [0.1, 0.3, 0.2, 0.5, 0.4, 0.6][point] ?? level;
    const decisions = play({ points: 6, lookahead: 1, pruning: asha(3), value, levels: 2 }, 1, 0);
    expect(decisions.map(({ point, level }) => `${point}/${level}`)).toEqual([
      ...['0/0', '1/0', '2/0', '1/1', '3/0', '3/1', '4/0', '5/0', '5/1'],
    ]);
  });

  it('trains the best to its end where there are too few points for a promotion', () => {
    const decisions = play({ points: 2, lookahead: 4, pruning: asha(3), value: (p) => p, levels: 3 }, 2, 0);
    expect(decisions.filter(({ level }) => level > 0)).toEqual([
      { kind: 'train', point: 1, level: 1 },
      { kind: 'train', point: 1, level: 2 },
    ]);
  });
});

describe('the median rule', () => {
  it('ends what is worse than the median of the running averages, once enough have ended', () => {
    // Points 0 to 2 end; their averages up to level 1 are 0.5, 0.6 and 0.7.
    const table = [
      [0.4, 0.6],
      [0.5, 0.7],
      [0.6, 0.8],
      [0.1, 0.59],
      [0.1, 0.6],
    ];
    const value = (point: number, level: number) => table[point]?.[level] ?? 0.9;
    const world = { points: 5, lookahead: 1, pruning: median(3), value, levels: 3 };
    const pruned = play({ ...world }, 1, 0).filter(({ kind }) => kind === 'prune');
    // Both are worse than 0.5 after level 0, where the averages are 0.4, 0.5 and 0.6.
    expect(pruned.map(({ point, level }) => [point, level])).toEqual([
      [3, 1],
      [4, 1],
    ]);
    const later = play({ ...world, value: (p, l) => (p > 2 && l === 0 ? 0.55 : value(p, l)) }, 1, 0);
    // 0.59 is worse than 0.6, and 0.6 is not.
    expect(later.filter(({ kind }) => kind === 'prune')).toEqual([{ kind: 'prune', point: 3, level: 2 }]);
  });
});
