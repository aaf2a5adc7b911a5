import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { batchIndices, stepsPerEpoch, totalSteps, type BatchPlan } from '../../src/data/batches.ts';
import { DataError } from '../../src/data/dataset.ts';
import { randomStream } from '../../src/data/random.ts';

const plans = fc
  .record({
    size: fc.integer({ min: 1, max: 60 }),
    batchSize: fc.integer({ min: 1, max: 70 }),
    shuffle: fc.boolean(),
    lastBatch: fc.constantFrom('keep', 'drop', 'wrap'),
    seed: fc.nat(),
  })
  .filter(
    ({ size, batchSize, lastBatch }) => lastBatch !== 'drop' || batchSize <= size,
  ) as fc.Arbitrary<BatchPlan>;

/** The examples of the first `count` steps, one after the other. */
const examplesOf = (plan: BatchPlan, count: number): number[] => {
  const indices = batchIndices(plan);
  return Array.from({ length: count }, (_, step) => [...indices(step + 1)]).flat();
};

/** Every second plan puts examples of similar length into a batch. */
const bucketed = fc
  .tuple(plans, fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 60, maxLength: 60 }))
  .map(([plan, lengths]): BatchPlan => ({ ...plan, shuffle: true, lengths }));

const ascending = (size: number) => Array.from({ length: size }, (_, index) => index);

describe('batchIndices', () => {
  it('takes every example exactly once a pass (keep, wrap) or at most once (drop)', () => {
    fc.assert(
      fc.property(fc.oneof(plans, bucketed), (plan) => {
        const { size, batchSize, lastBatch } = plan;
        const passes = 3;
        const examples = examplesOf(plan, Math.ceil(passes * stepsPerEpoch(plan)));
        const perPass = lastBatch === 'drop' ? size - (size % batchSize) : size;
        for (let pass = 0; pass < passes; pass++) {
          const one = examples.slice(pass * perPass, (pass + 1) * perPass).sort((a, b) => a - b);
          if (lastBatch === 'drop') expect(new Set(one).size).toBe(perPass);
          else expect(one).toEqual(ascending(size));
        }
      }),
    );
  });

  it('makes batches of batchSize, but for the last of a pass with keep', () => {
    fc.assert(
      fc.property(plans, fc.integer({ min: 1, max: 50 }), (plan, step) => {
        const { size, batchSize, lastBatch } = plan;
        const last = lastBatch === 'keep' && step % stepsPerEpoch(plan) === 0;
        const expected = last && size % batchSize !== 0 ? size % batchSize : batchSize;
        expect(batchIndices(plan)(step).length).toBe(expected);
      }),
    );
  });

  it('gives a step the same examples, whichever steps were asked for before', () => {
    fc.assert(
      fc.property(
        fc.oneof(plans, bucketed),
        fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 8 }),
        (plan, steps) => {
          const jumping = batchIndices(plan);
          for (const step of steps) {
            expect([...jumping(step)]).toEqual([...batchIndices(plan)(step)]);
          }
        },
      ),
    );
  });

  it('keeps the order of the file without shuffle', () => {
    expect(examplesOf({ size: 5, batchSize: 2, shuffle: false, lastBatch: 'wrap', seed: 1 }, 5)).toEqual([
      ...ascending(5),
      ...ascending(5),
    ]);
  });

  it('takes another order in each pass and for each seed', () => {
    const plan: BatchPlan = { size: 50, batchSize: 50, shuffle: true, lastBatch: 'keep', seed: 1 };
    const orders = [
      batchIndices(plan)(1).join(),
      batchIndices(plan)(2).join(),
      batchIndices({ ...plan, seed: 2 })(1).join(),
    ];
    expect(new Set([...orders, ascending(50).join()]).size).toBe(4);
  });

  it('runs over the end of a pass as often as a batch needs (wrap)', () => {
    expect(examplesOf({ size: 3, batchSize: 7, shuffle: false, lastBatch: 'wrap', seed: 1 }, 1)).toEqual([
      0, 1, 2, 0, 1, 2, 0,
    ]);
  });

  it('says what to change when drop leaves nothing', () => {
    expect(() => batchIndices({ size: 3, batchSize: 4, shuffle: true, lastBatch: 'drop', seed: 1 })).toThrow(
      DataError,
    );
  });

  it('puts examples of similar length into a batch, in other batches each pass', () => {
    const random = randomStream(3, 'lengths');
    const lengths = Array.from({ length: 1003 }, () => 1 + random.integer(40));
    const plan: BatchPlan = { size: 1003, batchSize: 10, shuffle: true, lastBatch: 'keep', seed: 5 };
    /** The steps that are computed for nothing in a pass, among all that are computed. */
    const padded = (given: BatchPlan, pass: number): number => {
      const indices = batchIndices(given);
      let [computed, needed] = [0, 0];
      for (let step = pass * 101 + 1; step <= (pass + 1) * 101; step++) {
        const found = [...indices(step)].map((example) => lengths[example] ?? 0);
        computed += found.length * Math.max(...found);
        needed += found.reduce((sum, one) => sum + one, 0);
      }
      return 1 - needed / computed;
    };
    const similar = { ...plan, lengths };
    for (const pass of [0, 1]) {
      expect(padded(plan, pass)).toBeGreaterThan(0.4);
      expect(padded(similar, pass)).toBeLessThan(0.05);
    }
    const batchesOf = (pass: number) =>
      Array.from({ length: 101 }, (_, at) => [...batchIndices(similar)(pass * 101 + at + 1)].join());
    expect(new Set([...batchesOf(0), ...batchesOf(1)]).size).toBe(202);
    // The longest batches come anywhere in a pass, not at its end.
    const longest = batchesOf(0).map((batch) =>
      Math.max(...batch.split(',').map((at) => lengths[Number(at)] ?? 0)),
    );
    expect(longest.slice(0, 50).some((steps) => steps === 40)).toBe(true);
    expect(longest.slice(0, 50)).not.toEqual(longest.slice(0, 50).toSorted((a, b) => a - b));
  });
});

describe('totalSteps', () => {
  const plan = { size: 1000, batchSize: 128, lastBatch: 'keep' } as const;
  const none = { trainingIters: null, epochs: null, steps: null };

  it('counts trainingIters as the reference does', () => {
    expect(totalSteps({ ...none, trainingIters: 100_000 }, plan)).toBe(781);
    expect(totalSteps({ ...none, trainingIters: 1_000_000 }, plan)).toBe(7812);
  });

  it('agrees with the loop that the reference runs', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5000 }), fc.integer({ min: 1, max: 300 }), (iters, batchSize) => {
        let step = 1;
        let done = 0;
        while (step * batchSize < iters) {
          done++;
          step++;
        }
        expect(totalSteps({ ...none, trainingIters: iters }, { ...plan, batchSize })).toBe(done);
      }),
    );
  });

  it('counts epochs by whole passes', () => {
    expect(totalSteps({ ...none, epochs: 2 }, plan)).toBe(16);
    expect(totalSteps({ ...none, epochs: 2 }, { ...plan, lastBatch: 'drop' })).toBe(14);
    expect(totalSteps({ ...none, epochs: 2 }, { ...plan, lastBatch: 'wrap' })).toBe(16);
    expect(totalSteps({ ...none, epochs: 3 }, { ...plan, lastBatch: 'wrap' })).toBe(24);
  });

  it('takes steps as they are', () => {
    expect(totalSteps({ ...none, steps: 17 }, plan)).toBe(17);
  });
});
