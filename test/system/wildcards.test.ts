import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fitsPathPattern, fitsWildcards } from '../../src/system/wildcards.ts';
import { testSeed } from '../support/seed.ts';

const escaped = (text: string) => text.replace(/[.+^${}()|[\]\\]/g, '\\$&');

/** What a pattern means, as a regular expression. */
const plainly = (pattern: string, any: string, one: string) =>
  escaped(pattern).replaceAll('*', any).replaceAll('?', one);

test('a pattern fits what it fits as a regular expression', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'b', '.', '/'), maxLength: 12 });
  const pattern = fc.string({ unit: fc.constantFrom('a', 'b', '.', '*', '?', '/'), maxLength: 8 });
  fc.assert(
    fc.property(pattern, text, (wanted, given) => {
      const meant = new RegExp(`^${plainly(wanted, '.*', '.')}$`, 's');
      expect(fitsWildcards(wanted, given), `${wanted} ${given}`).toBe(meant.test(given));
    }),
    { seed: testSeed, numRuns: 5000 },
  );
});

test('a pattern of paths fits what it fits as a regular expression', () => {
  const name = fc.constantFrom('a', 'ab', 'b.c');
  const part = fc.constantFrom('a', '*', '?', '**', 'a*', '*.c', '?b');
  const path = (of: fc.Arbitrary<string>, maxLength: number) =>
    fc.array(of, { minLength: 1, maxLength }).map((parts) => parts.join('/'));
  fc.assert(
    fc.property(path(part, 5), path(name, 5), (wanted, given) => {
      const parts = wanted.split('/').map((one, at, all) => {
        if (one === '**') return '(?:[^/]+/)*';
        return `${plainly(one, '[^/]*', '[^/]')}${at === all.length - 1 ? '' : '/'}`;
      });
      const meant = new RegExp(`^${parts.join('')}$`);
      expect(fitsPathPattern(wanted, given), `${wanted} ${given}`).toBe(meant.test(given));
    }),
    { seed: testSeed, numRuns: 5000 },
  );
});

test('no pattern takes for ever', () => {
  const name = 'a'.repeat(200);
  for (const pattern of ['*'.repeat(5000), '*?'.repeat(150), '*a'.repeat(150), 'a*'.repeat(150)]) {
    expect(fitsWildcards(`${pattern}x`, name)).toBe(false);
    expect(fitsWildcards(pattern, name)).toBe(true);
  }
  const path = `${'a/'.repeat(60)}y`;
  for (const folders of ['**/'.repeat(60), '**/*/'.repeat(20)]) {
    expect(fitsPathPattern(`${folders}b/y`, path)).toBe(false);
    expect(fitsPathPattern(`${folders}a/y`, path)).toBe(true);
  }
});
