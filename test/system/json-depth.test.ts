import { expect, test } from 'vitest';
import { isSealIntact, sealed } from '../../src/record/digests.ts';
import { isDeeperThan } from '../../src/system/json.ts';

/** Lists within lists. */
const nested = (levels: number): unknown => JSON.parse(`${'['.repeat(levels)}${']'.repeat(levels)}`);

test('the levels of a value are counted at any depth', () => {
  expect(isDeeperThan(7, 0)).toBe(false);
  expect(isDeeperThan({}, 0)).toBe(false);
  expect(isDeeperThan([1], 0)).toBe(true);
  expect(isDeeperThan([1], 1)).toBe(false);
  expect(isDeeperThan({ a: { b: [] } }, 1)).toBe(true);
  expect(isDeeperThan({ a: { b: [] } }, 2)).toBe(false);
  expect(isDeeperThan(nested(500_000), 200)).toBe(true);
});

test('a seal around values that are nested too deep counts as broken, and is not computed', () => {
  expect(isSealIntact(sealed({ a: nested(100) }))).toBe(true);
  expect(isSealIntact({ ...sealed({ a: 1 }), a: nested(500_000) })).toBe(false);
  const wide = Array.from({ length: 200 }, () => nested(2500));
  const before = process.memoryUsage.rss();
  expect(isSealIntact({ ...sealed({ a: 1 }), a: wide })).toBe(false);
  expect(process.memoryUsage.rss() - before).toBeLessThan(300e6);
});
