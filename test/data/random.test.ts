import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { randomStream } from '../../src/data/random.ts';

/** sfc32 as PractRand defines it, in exact integers: nothing in common with the 32-bit operators of the source. */
const sfc32 = function* (a: bigint, b: bigint, c: bigint, counter: bigint): Generator<number> {
  const word = 1n << 32n;
  for (;;) {
    const drawn = (a + b + counter) % word;
    counter = (counter + 1n) % word;
    a = b ^ (b / 512n);
    b = (c * 9n) % word;
    c = (((c * 2097152n) % word) + c / 2048n + drawn) % word;
    yield Number(drawn);
  }
};

const reference = (seed: number, ...purpose: (string | number)[]): Generator<number> => {
  const hash = createHash('sha256')
    .update(JSON.stringify([seed, ...purpose]))
    .digest();
  const word = (index: number) => BigInt(hash.readUInt32LE(4 * index));
  return sfc32(word(0), word(1), word(2), word(3) | 1n);
};

/** The statistic of Pearson's chi-square test against equal frequencies. */
const chiSquare = (counts: readonly number[]): number => {
  const expected = counts.reduce((sum, count) => sum + count, 0) / counts.length;
  return counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
};

describe('randomStream', () => {
  it('gives the numbers of sfc32, computed independently in exact integers', () => {
    const stream = randomStream(7, 'shuffle', 3);
    const expected = reference(7, 'shuffle', 3);
    for (let draw = 0; draw < 10_000; draw++) {
      expect(stream.uniform() * 2 ** 32).toBe(expected.next().value);
    }
  });

  it('gives the same numbers on every machine and in every version', () => {
    const stream = randomStream(1, 'init', 'cell/kernel');
    expect([stream.uniform(), stream.integer(10), stream.normal(), ...stream.permutation(5)]).toEqual(golden);
  });

  it('gives other numbers for another seed or purpose', () => {
    const first = (...key: [number, ...(string | number)[]]) => randomStream(...key).uniform();
    const keys: [number, ...(string | number)[]][] = [
      [1],
      [2],
      [1, 'a'],
      [1, 'b'],
      [1, 'a', 1],
      [1, 'a', '1'],
      [1, 'a1'],
      [11, 'a'],
    ];
    expect(new Set(keys.map((key) => first(...key))).size).toBe(keys.length);
  });

  it('draws integers evenly, also where the bound does not divide 2^32', () => {
    const stream = randomStream(3, 'integers');
    const counts = Array.from({ length: 37 }, () => 0);
    for (let draw = 0; draw < 100_000; draw++) {
      const drawn = stream.integer(37);
      counts[drawn] = (counts[drawn] ?? NaN) + 1;
    }
    // 36 degrees of freedom: 67.99 is exceeded by chance once in a thousand seeds.
    expect(chiSquare(counts)).toBeLessThan(67.99);
  });

  it('fills [0,1) evenly', () => {
    const stream = randomStream(4, 'uniform');
    const counts = Array.from({ length: 100 }, () => 0);
    for (let draw = 0; draw < 100_000; draw++) {
      const bin = Math.floor(stream.uniform() * 100);
      counts[bin] = (counts[bin] ?? NaN) + 1;
    }
    // 99 degrees of freedom, one in a thousand.
    expect(chiSquare(counts)).toBeLessThan(148.23);
  });

  it('draws normal numbers with the moments of N(0,1)', () => {
    const stream = randomStream(5, 'normal');
    const size = 100_000;
    const moments = [0, 0, 0, 0];
    for (let draw = 0; draw < size; draw++) {
      const x = stream.normal();
      for (let power = 0; power < 4; power++)
        moments[power] = (moments[power] ?? 0) + x ** (power + 1) / size;
    }
    // Five standard errors of each moment: sqrt((E x^2n - (E x^n)^2) / size).
    const expected = [0, 1, 0, 3];
    const variance = [1, 2, 15, 96];
    for (let power = 0; power < 4; power++) {
      const tolerance = 5 * Math.sqrt((variance[power] ?? 0) / size);
      expect(Math.abs((moments[power] ?? NaN) - (expected[power] ?? NaN))).toBeLessThan(tolerance);
    }
  });

  it('permutes: every number once', () => {
    fc.assert(
      fc.property(fc.nat(), fc.integer({ min: 0, max: 300 }), (seed, size) => {
        const drawn = [...randomStream(seed, 'permutation').permutation(size)];
        expect(drawn.sort((a, b) => a - b)).toEqual(Array.from({ length: size }, (_, index) => index));
      }),
    );
  });

  it('makes every order of four equally likely', () => {
    const counts = new Map<string, number>();
    for (let draw = 0; draw < 24_000; draw++) {
      const order = randomStream(6, 'order', draw).permutation(4).join('');
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    expect(counts.size).toBe(24);
    // 23 degrees of freedom, one in a thousand.
    expect(chiSquare([...counts.values()])).toBeLessThan(49.73);
  });
});

const golden = [0.1246064065489918, 1, 0.5028743222700057, 2, 3, 1, 4, 0];
