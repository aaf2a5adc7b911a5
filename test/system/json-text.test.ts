import fc from 'fast-check';
import { expect, test } from 'vitest';
import { jsonText } from '../../src/system/json.ts';

test('what fits stands on a line, and every list of plain values does', () => {
  const long = Array.from({ length: 200 }, (_, at) => at);
  expect(jsonText({ short: { a: 1, none: undefined, b: ['x', null] }, long, rows: [long, [], {}] })).toBe(
    `{
  "short": { "a": 1, "b": ["x", null] },
  "long": [${long.join(', ')}],
  "rows": [
    [${long.join(', ')}],
    [],
    {}
  ]
}
`,
  );
});

test('it is the same value for whoever reads it', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      expect(JSON.parse(jsonText(value))).toEqual(JSON.parse(JSON.stringify(value)));
    }),
  );
});
