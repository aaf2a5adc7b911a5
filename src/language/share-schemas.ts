import type { JsonSchema } from '../registry/schema.ts';

/** A shorter schema is easier to read at its place than behind a reference. */
const shortest = 100;

/** The same schema, in which the schema of a key that occurs more than once is in `definitions`, with references to it. */
export const shareRepeated = (schema: JsonSchema): JsonSchema => {
  const { definitions: given = {}, ...rest } = schema as { definitions?: Record<string, JsonSchema> };
  const counts = new Map<string, number>();
  const count: Replace = (inner) => {
    const text = JSON.stringify(inner);
    const before = text.length < shortest ? 0 : (counts.get(text) ?? 0);
    counts.set(text, before + 1);
    // Parts of a repeated schema appear in its definition only.
    return before > 0 ? inner : walk(inner, count);
  };
  walk(schema, count);
  const shared = new Map<string, { readonly name: string; definition: JsonSchema }>();
  const taken = new Set(Object.keys(given));
  const refer = (inner: JsonSchema, key: string): JsonSchema => {
    const text = JSON.stringify(inner);
    if ((counts.get(text) ?? 0) < 2) return walk(inner, refer);
    let known = shared.get(text);
    if (!known) {
      known = { name: freeName(key.slice(key.lastIndexOf('.') + 1), taken), definition: inner };
      shared.set(text, known);
      known.definition = walk(inner, refer);
    }
    return { $ref: `#/definitions/${known.name}` };
  };
  const body = walk(rest, refer);
  const definitions = walkEach(given, (one) => walk(one, refer));
  const all = {
    ...definitions,
    ...Object.fromEntries([...shared.values()].map(({ name, definition }) => [name, definition])),
  };
  return Object.keys(all).length > 0 ? { ...body, definitions: all } : body;
};

const freeName = (name: string, taken: Set<string>): string => {
  let free = name;
  for (let number = 2; taken.has(free); number++) free = `${name}-${number}`;
  taken.add(free);
  return free;
};

type Replace = (inner: JsonSchema, key: string) => JsonSchema;

/** A copy in which the schema of each key is replaced, wherever in the schema the key is described. */
const walk = (schema: JsonSchema, replace: Replace): JsonSchema =>
  Object.fromEntries(
    Object.entries(schema).map(([keyword, value]) => {
      switch (keyword) {
        case 'properties':
          return [keyword, walkEach(value as Record<string, JsonSchema>, replace)];
        case 'definitions':
          return [keyword, walkEach(value as Record<string, JsonSchema>, (one) => walk(one, replace))];
        case 'then':
        case 'items':
          return [keyword, walk(value as JsonSchema, replace)];
        case 'allOf':
        case 'anyOf':
          return [keyword, (value as readonly JsonSchema[]).map((one) => walk(one, replace))];
        default:
          return [keyword, value];
      }
    }),
  );

const walkEach = (
  schemas: Readonly<Record<string, JsonSchema>>,
  replace: Replace,
): Record<string, JsonSchema> =>
  Object.fromEntries(Object.entries(schemas).map(([key, one]) => [key, replace(one, key)]));
