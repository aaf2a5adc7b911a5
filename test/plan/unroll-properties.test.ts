import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Json } from '../../src/system/json.ts';
import { valueIn } from '../../src/search/grid.ts';
import { planOf } from '../support/spec.ts';

/**
 * A second enumerator, as simple as can be: a point is a flat record of all five values, axes are nested loops, and
 * rules are read word by word. Values are chosen so that no point is invalid by itself.
 */
const space = {
  'model.hiddenSize': [128, 8, 16, 32],
  'model.layers': [1, 2, 3],
  'model.merge': ['concat', 'sum', 'mean'],
  'optimizer.learningRate': [0.001, 0.01, 0.1],
  'train.batchSize': [128, 1, 2],
} as const satisfies Record<string, readonly [Json, ...Json[]]>;
type Key = keyof typeof space;
const keys = Object.keys(space) as Key[];
type Point = Readonly<Record<Key, Json>>;
const base = Object.fromEntries(keys.map((key) => [key, space[key][0]])) as Record<Key, Json>;

type Assignment = Partial<Record<Key, Json>>;
interface Sweep {
  readonly axes: Partial<Record<Key, Json[]>>;
  readonly zip: Partial<Record<Key, Json[]>>[];
  readonly when: { readonly if: Assignment; readonly axes: Partial<Record<Key, Json[]>> }[];
  readonly exclude: Assignment[];
  readonly add: Assignment[];
}

const matches = (point: Point, rule: Assignment) =>
  Object.entries(rule).every(([key, value]) => point[key as Key] === value);

const naive = (sweep: Sweep): Point[] => {
  let points: Point[] = [base];
  for (const [key, values] of Object.entries(sweep.axes)) {
    const next: Point[] = [];
    for (const point of points) for (const value of values) next.push({ ...point, [key]: value });
    points = next;
  }
  for (const zip of sweep.zip) {
    const next: Point[] = [];
    const length = Object.values(zip)[0]?.length ?? 0;
    for (const point of points) {
      for (let index = 0; index < length; index++) {
        const changed: Record<string, Json> = { ...point };
        for (const [key, values] of Object.entries(zip)) changed[key] = values[index] ?? null;
        next.push(changed as Point);
      }
    }
    points = next;
  }
  for (const rule of sweep.when) {
    const next: Point[] = [];
    for (const point of points) {
      let inner: Point[] = [point];
      if (matches(point, rule.if)) {
        for (const [key, values] of Object.entries(rule.axes)) {
          const deeper: Point[] = [];
          for (const one of inner) for (const value of values) deeper.push({ ...one, [key]: value });
          inner = deeper;
        }
      }
      next.push(...inner);
    }
    points = next;
  }
  if (Object.keys(sweep.axes).length + sweep.zip.length + sweep.when.length === 0 && sweep.add.length > 0)
    points = [];
  points = points.filter((point) => !sweep.exclude.some((rule) => matches(point, rule)));
  points.push(...sweep.add.map((change) => ({ ...base, ...change })));
  const seen = new Set<string>();
  return points.filter((point) => {
    const text = keys.map((key) => JSON.stringify(point[key])).join();
    if (seen.has(text)) return false;
    seen.add(text);
    return true;
  });
};

const valueOf = (key: Key) => fc.constantFrom<Json>(...space[key]);
const listOf = (key: Key, exact?: number) =>
  fc.array(
    valueOf(key),
    exact === undefined ? { minLength: 1, maxLength: 4 } : { minLength: exact, maxLength: exact },
  );

/** Each path is used by one part of the sweep at most, as the language demands. */
const sweeps: fc.Arbitrary<Sweep> = fc
  .tuple(
    fc.shuffledSubarray(keys),
    fc.integer({ min: 0, max: 5 }),
    fc.integer({ min: 0, max: 5 }),
    fc.integer({ min: 1, max: 3 }),
  )
  .chain(([used, one, two, zipLength]) => {
    const [low, high] = [Math.min(one, two), Math.max(one, two)];
    const lists = (some: readonly Key[], exact?: number) =>
      fc.record(Object.fromEntries(some.map((key) => [key, listOf(key, exact)])));
    const assignment = fc
      .subarray(keys, { minLength: 1, maxLength: 3 })
      .chain((some) => fc.record(Object.fromEntries(some.map((key) => [key, valueOf(key)]))));
    const zipped = used.slice(low, high);
    const conditional = used.slice(high);
    return fc.record({
      axes: lists(used.slice(0, low)),
      zip: zipped.length ? fc.tuple(lists(zipped, zipLength)) : fc.constant([]),
      when: conditional.length
        ? fc.array(fc.record({ if: assignment, axes: lists(conditional) }), { maxLength: 1 })
        : fc.constant([]),
      exclude: fc.array(assignment, { maxLength: 3 }),
      add: fc.array(assignment, { maxLength: 3 }),
    });
  });

const planned = async (sweep: Sweep, seeds: number[]) =>
  planOf({ sweep: { ...(sweep as unknown as Record<string, Json>), maxRuns: 100_000 }, seeds });

describe('a random sweep', () => {
  it('unrolls into the points of a second enumerator, in its order, each once', async () => {
    let compared = 0;
    await fc.assert(
      fc.asyncProperty(sweeps, async (sweep) => {
        const expected = naive(sweep);
        const { plan, errors } = await planned(sweep, [1]);
        if (expected.length === 0) {
          expect(errors.map(({ code }) => code)).toEqual(['empty-plan']);
          return;
        }
        expect(errors).toEqual([]);
        const runs = plan?.runs ?? [];
        const found = runs.map(({ config }) =>
          keys.map((key) => valueIn(config as unknown as Json, key.split('.'))),
        );
        expect(found).toEqual(expected.map((point) => keys.map((key) => point[key])));
        expect(new Set(runs.map(({ id }) => id)).size).toBe(runs.length);
        compared += runs.length;
      }),
      { numRuns: 300 },
    );
    expect(compared).toBeGreaterThan(800);
  });

  it('has for each seed the same configurations, and ids that depend on nothing else', async () => {
    await fc.assert(
      fc.asyncProperty(
        sweeps,
        fc.uniqueArray(fc.nat(1000), { minLength: 2, maxLength: 3 }),
        async (sweep, seeds) => {
          if (naive(sweep).length === 0) return;
          const many = (await planned(sweep, seeds)).plan?.runs ?? [];
          expect(many.map(({ seed }) => seed)).toEqual(many.map((_, index) => seeds[index % seeds.length]));
          for (const seed of seeds) {
            const single = (await planned(sweep, [seed])).plan?.runs ?? [];
            expect(many.filter((run) => run.seed === seed).map(({ id, cell }) => [id, cell])).toEqual(
              single.map(({ id, cell }) => [id, cell]),
            );
          }
        },
      ),
      { numRuns: 40 },
    );
  });

  it('says of each run exactly in what it differs', async () => {
    await fc.assert(
      fc.asyncProperty(sweeps, async (sweep) => {
        const { plan } = await planned(sweep, [1]);
        for (const key of keys) {
          const values = (plan?.runs ?? []).map(({ config }) =>
            valueIn(config as unknown as Json, key.split('.')),
          );
          expect(plan?.axes.includes(key) ?? false).toBe(new Set(values).size > 1);
          if (plan?.axes.includes(key)) expect(plan.runs.map((run) => run.varying[key])).toEqual(values);
        }
      }),
      { numRuns: 100 },
    );
  });

  it('takes whole blocks as values, with what they leave out at its default', async () => {
    const block = fc.oneof(
      fc.record(
        {
          name: fc.constant('sgd'),
          learningRate: fc.constantFrom(0.1, 0.2),
          momentum: fc.constantFrom(0, 0.9),
        },
        { requiredKeys: ['name', 'learningRate'] },
      ),
      fc.record(
        {
          name: fc.constant('adam'),
          learningRate: fc.constantFrom(0.1, 0.2),
          beta1: fc.constantFrom(0.5, 0.9),
        },
        { requiredKeys: ['name', 'learningRate'] },
      ),
    );
    const blocks = fc.array(block, { minLength: 1, maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(blocks, listOf('model.layers'), async (optimizers, layers) => {
        const expected = new Set<string>();
        for (const one of optimizers) {
          const filled = one.name === 'sgd' ? { momentum: 0, ...one } : { beta1: 0.9, ...one };
          const own = 'momentum' in filled ? filled.momentum : filled.beta1;
          for (const count of layers) expected.add(JSON.stringify([one.name, one.learningRate, own, count]));
        }
        const { plan, errors } = await planOf({
          sweep: { axes: { optimizer: optimizers as unknown as Json, 'model.layers': layers } },
        });
        expect(errors).toEqual([]);
        const found = (plan?.runs ?? []).map(({ config: { optimizer, model } }) =>
          JSON.stringify([
            optimizer.name,
            optimizer['learningRate'],
            optimizer['momentum'] ?? optimizer['beta1'],
            model['layers'],
          ]),
        );
        expect(found).toEqual([...expected]);
      }),
      { numRuns: 100 },
    );
  });
});
