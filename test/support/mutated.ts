import type { randomStream } from '../../src/data/random.ts';

export type Random = ReturnType<typeof randomStream>;

const pieces = [
  ...[
    '[',
    ']',
    '{',
    '}',
    ': ',
    ', ',
    '"',
    "'",
    '\n',
    '\r\n',
    '\t',
    '- ',
    '? ',
    '&a ',
    '*a',
    '!!str ',
    '<<: *a',
    '---\n',
    '#',
  ],
  ...[
    'null',
    '.inf',
    '.nan',
    '-1',
    '1e999',
    '0',
    'true',
    '__proto__',
    'constructor',
    '',
    'name',
    'sweep',
    'axes',
    'log',
  ],
  ...['\u0000', '\u001b[2J', '\u202e', '\ud800', '\ufeff', '\u2028', '𝕏', '${A}', '${', 'é'],
  '9'.repeat(400),
  '['.repeat(300),
];

/** One to six random changes: cut, repeated, exchanged, and inserted pieces. */
export const mutated = (text: string, random: Random): string => {
  let result = text;
  for (let left = 1 + random.integer(6); left > 0; left--) {
    const from = random.integer(result.length + 1);
    const to = Math.min(result.length, from + random.integer(30));
    const piece = pieces[random.integer(pieces.length)] ?? '';
    const middle =
      [piece, '', result.slice(from, to).repeat(2), piece + result.slice(from, to)][random.integer(4)] ?? '';
    result = result.slice(0, from) + middle + result.slice(to);
  }
  return result;
};
