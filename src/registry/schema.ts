import type { TSchema } from '@sinclair/typebox';
import type { Row } from '../parameters/row.ts';
import { namedSections, type NamedSectionKind, type Registry, type Table } from './rows.ts';

/** A JSON Schema as plain data. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/**
 * A schema of the code as plain data for editors: without symbols and inner keywords, every object closed, keys with a
 * default optional, and every key with a title, a description and examples.
 */
export const publicSchema = (schema: TSchema | JsonSchema, key = ''): JsonSchema => {
  const plain = withDefaultInWords(
    without(JSON.parse(JSON.stringify(schema)) as JsonSchema, 'phrase', 'addedLater'),
  );
  const properties = plain['properties'] as Record<string, JsonSchema> | undefined;
  const items = plain['items'] as JsonSchema | undefined;
  const values = plain['additionalProperties'] as JsonSchema | boolean | undefined;
  const required = ((plain['required'] ?? []) as string[]).filter(
    (name) => properties?.[name]?.['default'] === undefined,
  );
  return {
    ...(key !== '' && { title: titleOf(key) }),
    ...without(plain, 'required'),
    ...(required.length > 0 && { required }),
    ...(properties && {
      additionalProperties: false,
      properties: Object.fromEntries(
        Object.entries(properties).map(([name, inner]) => [name, publicSchema(inner, name)]),
      ),
    }),
    ...(items && { items: publicSchema(items) }),
    ...(typeof values === 'object' && { additionalProperties: publicSchema(values) }),
  };
};

/**
 * Hover texts show no default, so the description has it. An empty one (null, no keys) is left out, and the
 * yaml-language-server offers no further keys when it meets one.
 */
const withDefaultInWords = (schema: JsonSchema): JsonSchema => {
  const { default: value, description } = schema as {
    default?: null | boolean | number | string | object;
    description?: string;
  };
  if (value === undefined) return schema;
  if (value === null || (typeof value === 'object' && Object.keys(value).length === 0))
    return without(schema, 'default');
  if (typeof value === 'object') return schema;
  if (description === undefined || /\bdefault\b/i.test(description)) return schema;
  return { ...schema, description: `${description} Default: ${String(value)}.` };
};

/** A copy without some keywords. */
export const without = (schema: JsonSchema, ...keywords: readonly string[]): JsonSchema =>
  Object.fromEntries(Object.entries(schema).filter(([keyword]) => !keywords.includes(keyword)));

/** `hiddenSize` as `Hidden size`. */
const titleOf = (key: string): string => {
  const words = key.replace(
    /([a-z0-9])([A-Z])/g,
    (_, end: string, start: string) => `${end} ${start.toLowerCase()}`,
  );
  return words.charAt(0).toUpperCase() + words.slice(1);
};

/** The rows of a section, whatever its kind. */
export const rowsOf = (registry: Registry, kind: NamedSectionKind): readonly (readonly [string, Row])[] =>
  Object.entries(registry[kind] as Table<Row>);

/** The name of a section's row: one of those registered. */
export const nameSchema = (registry: Registry, kind: NamedSectionKind): JsonSchema => {
  const rows = rowsOf(registry, kind);
  return {
    title: 'Name',
    description: `Which ${kind}: ${rows.map(([name, { title }]) => `${name} (${title})`).join('; ')}.`,
    type: 'string',
    enum: rows.map(([name]) => name),
    // How editors of the VS Code family show what each of the names means.
    enumDescriptions: rows.map(([, { description }]) => description),
    examples: rows.slice(0, 1).map(([name]) => name),
  };
};

/** A section that is narrowed by its `name` to the parameters of that row: what people write. */
export const sectionSchema = (registry: Registry, kind: NamedSectionKind): JsonSchema => ({
  title: titleOf(kind),
  description: `The ${kind}: its name in the registry, and its parameters.`,
  type: 'object',
  properties: { name: nameSchema(registry, kind) },
  allOf: rowsOf(registry, kind).map(([name, row]) => ({
    if: { required: ['name'], properties: { name: { const: name } } },
    then: { title: row.title, description: row.description, ...parametersWithName(name, row) },
  })),
});

const parametersWithName = (name: string, { parameters, title, description }: Row): JsonSchema => {
  const { properties, required } = publicSchema(parameters) as { properties: object; required?: string[] };
  return {
    properties: { name: { title, description, const: name }, ...properties },
    required: ['name', ...(required ?? [])],
    additionalProperties: false,
  };
};

/** A section with every parameter resolved: what runs. */
export const resolvedSectionSchema = (registry: Registry, kind: NamedSectionKind): JsonSchema => ({
  title: titleOf(kind),
  description: `The ${kind}, with every parameter.`,
  type: 'object',
  required: ['name'],
  properties: { name: nameSchema(registry, kind) },
  allOf: rowsOf(registry, kind).map(([name, row]) => {
    const then = parametersWithName(name, row);
    const properties = Object.entries(row.parameters.properties);
    const required = properties
      .filter(([, schema]) => schema.default !== undefined && schema['addedLater'] !== true)
      .map(([key]) => key);
    return {
      if: { required: ['name'], properties: { name: { const: name } } },
      then: { ...then, required: [...(then['required'] as string[]), ...required] },
    };
  }),
});

/** Every path into a section that a sweep may vary, with the schemas that its values may have, one a distinct form. */
export const pathSchemas = (registry: Registry): ReadonlyMap<string, readonly JsonSchema[]> => {
  const found = new Map<string, JsonSchema[]>();
  for (const kind of namedSections) {
    found.set(kind, [{ ...sectionSchema(registry, kind), required: ['name'] }]);
    found.set(`${kind}.name`, [nameSchema(registry, kind)]);
    for (const [, row] of rowsOf(registry, kind)) collectPaths(kind, publicSchema(row.parameters), found);
  }
  return found;
};

/** Adds the paths of an object's properties, and of the objects inside of it. */
export const collectPaths = (prefix: string, schema: JsonSchema, found: Map<string, JsonSchema[]>): void => {
  for (const [name, inner] of Object.entries((schema['properties'] ?? {}) as Record<string, JsonSchema>)) {
    const path = `${prefix}.${name}`;
    const known = found.get(path) ?? [];
    if (!known.some((one) => JSON.stringify(one) === JSON.stringify(inner))) known.push(inner);
    found.set(path, known);
    collectPaths(path, inner, found);
  }
};
