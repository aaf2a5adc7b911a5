import { expect, it } from 'vitest';
import type { JsonSchema } from '../../src/registry/schema.ts';
import { shareRepeated } from '../../src/language/generate-schemas.ts';

const size = {
  type: 'integer',
  minimum: 1,
  description: 'Units of the hidden state, in each direction.'.repeat(2),
};
const nested = {
  type: 'object',
  properties: { size },
  description: 'A mapping that holds the size. '.repeat(3),
};
const small = { type: 'boolean' };

/** The schema with what is referred to in its place. */
const inlined = (schema: JsonSchema): unknown => {
  const { definitions, ...rest } = schema as { definitions?: Record<string, unknown> };
  const visit = (value: unknown): unknown => {
    if (typeof value !== 'object' || value === null) return value;
    if (Array.isArray(value)) return value.map(visit);
    const { $ref } = value as { $ref?: string };
    if ($ref !== undefined) return visit(definitions?.[$ref.replace('#/definitions/', '')]);
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, visit(one)]));
  };
  return visit(rest);
};

it('writes what occurs twice once, and means the same', () => {
  const schema = {
    type: 'object',
    properties: { a: nested, size },
    allOf: [
      {
        if: {},
        then: { properties: { a: nested, b: small, c: { ...small, items: { properties: { size } } } } },
      },
    ],
  };
  const shared = shareRepeated(schema);
  expect(Object.keys(shared['definitions'] as object)).toEqual(['a', 'size']);
  expect(JSON.stringify(shared).split(size.description)).toHaveLength(2);
  expect(JSON.stringify(shared).split(nested.description)).toHaveLength(2);
  expect(inlined(shared)).toEqual(schema);
});

it('gives a name of its own to each, beside the definitions that are there', () => {
  const other = { ...size, minimum: 2 };
  const of = (one: object) => ({
    x: { properties: { size: one } },
    y: { title: 'Y', properties: { size: one } },
  });
  const shared = shareRepeated({
    properties: { one: { properties: of(size) }, two: { properties: of(other) } },
    definitions: { size: { const: 1 } },
  });
  expect(shared['definitions']).toMatchObject({ size: { const: 1 }, 'size-2': size, 'size-3': other });
});
