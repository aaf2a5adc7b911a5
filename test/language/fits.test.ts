import { Ajv } from 'ajv';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { PlainSchema } from '../../src/language/describe.ts';
import { fits } from '../../src/language/check.ts';
import { specSchema } from '../../src/language/spec-schema.ts';
import { trainSchema } from '../../src/language/train-section.ts';
import { namedSections, registry } from '../../src/registry/rows.ts';
import { rowsOf } from '../../src/registry/schema.ts';
import type { Json } from '../../src/system/json.ts';

const ajv = new Ajv({ useDefaults: true, strict: false, strictNumbers: true, validateSchema: false });

const schemas: readonly (readonly [string, PlainSchema])[] = [
  ['spec', specSchema as PlainSchema],
  ['train', trainSchema as PlainSchema],
  ...namedSections.flatMap((kind) =>
    rowsOf(registry, kind).map(
      ([name, { parameters }]) => [`${kind} ${name}`, parameters as PlainSchema] as const,
    ),
  ),
];

const odd = fc.constantFrom<Json>(
  null,
  true,
  0,
  -1,
  1.5,
  3,
  1e21,
  Number.NaN,
  Infinity,
  '',
  'a',
  'á😀',
  [],
  ['a', 'a'],
  [1, 2],
  {},
  { a: 1 },
);

/** Values near to a schema: mostly of its type and within its bounds, often at them, sometimes anything. */
const near = (schema: PlainSchema): fc.Arbitrary<Json> => {
  const bounds = [schema.minimum, schema.maximum, schema.exclusiveMinimum, schema.exclusiveMaximum].flatMap(
    (bound) => (bound === undefined ? [] : [bound, bound + 1, bound - 1, bound + 0.5]),
  );
  const written = [...(schema.enum ?? []), ...(schema.examples ?? []), schema.default, schema.const].filter(
    (value): value is Json => value !== undefined,
  );
  const chosen = [...bounds, ...written];
  const parts = [odd, ...(chosen.length > 0 ? [fc.constantFrom(...chosen)] : [])];
  if (schema.items) parts.push(fc.array(near(schema.items), { maxLength: 3 }));
  if (schema.patternProperties)
    parts.push(fc.dictionary(fc.string({ maxLength: 3 }), odd, { maxKeys: 2, noNullPrototype: true }));
  if (schema.properties) parts.unshift(nearMap(schema.properties));
  return fc.oneof(...parts.map((arbitrary, index) => ({ arbitrary, weight: index === 0 ? 1 : 6 })));
};

const nearMap = (properties: Readonly<Record<string, PlainSchema>>): fc.Arbitrary<Json> =>
  fc
    .tuple(
      fc.subarray(Object.keys(properties)).chain((keys) =>
        fc.record(Object.fromEntries(keys.map((key) => [key, near(properties[key] ?? {})])), {
          noNullPrototype: true,
        }),
      ),
      fc.oneof(
        { weight: 9, arbitrary: fc.constant({}) },
        { weight: 1, arbitrary: fc.constant({ other: 1 }) },
      ),
    )
    .map(([known, unknown]) => ({ ...known, ...unknown }));

test.each(schemas)('%s: what fits is what ajv accepts, with the same defaults', (_, schema) => {
  const accepts = ajv.compile(schema);
  let fitting = 0;
  const check = (value: Json) => {
    const [ours, its] = [structuredClone(value), structuredClone(value)];
    const wanted = accepts(its);
    expect(fits(schema, ours)).toBe(wanted);
    if (wanted) expect(ours).toEqual(its);
    if (wanted) fitting++;
  };
  // Mostly a single key is given, so that both answers occur.
  for (const [key, inner] of Object.entries(schema.properties ?? {}))
    fc.assert(
      fc.property(near(inner), (value) => {
        check({ ...requiredOf(schema), [key]: value });
      }),
      { numRuns: 30 },
    );
  fc.assert(fc.property(nearMap(schema.properties ?? {}), check), { numRuns: 20 });
  expect(fitting).toBeGreaterThan(0);
});

const requiredOf = ({ required = [], properties = {} }: PlainSchema): Record<string, Json> =>
  Object.fromEntries(
    required.flatMap((key) => {
      const { examples = [], enum: allowed = [] } = properties[key] ?? {};
      const value = (examples[0] ?? allowed[0]) as Json | undefined;
      return value === undefined ? [] : [[key, value]];
    }),
  );
