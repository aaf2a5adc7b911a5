import { parse } from 'yaml';
import { diagnosticsSchema } from '../diagnostic/json.ts';
import { namedSections, registry as builtIn, requiredSections, type Registry } from '../registry/rows.ts';
import {
  collectPaths,
  pathSchemas,
  publicSchema,
  resolvedSectionSchema,
  sectionSchema,
  without,
  type JsonSchema,
} from '../registry/schema.ts';
import { jsonText } from '../system/json.ts';
import { describeSchema, type PlainSchema } from './describe.ts';
import { specSchema } from './spec-schema.ts';
import { axisForms, axisKinds, type AxisKind } from './sweep/sweep.ts';
import { sweepSchema } from './sweep/section.ts';
import { trainSchema } from './train-section.ts';

const sections: readonly string[] = [...namedSections, 'train'];

const draft = 'http://json-schema.org/draft-07/schema#';

/**
 * The published schemas as strings, by file name: `experiment.schema.json` is what people write (editors complete and
 * check with it), `run.schema.json` is one resolved run, `diagnostics.schema.json` what `--json` prints of mistakes. Everything comes from the registries and the spec's own schema.
 */
export const generateSchemas = (registry: Registry = builtIn): Readonly<Record<string, string>> => ({
  'experiment.schema.json': textOf(experimentSchema(registry)),
  'run.schema.json': textOf(runSchema(registry)),
  'diagnostics.schema.json': textOf(diagnosticsSchema),
});

const textOf = (schema: JsonSchema): string =>
  jsonText(shareRepeated(JSON.parse(JSON.stringify(schema)) as JsonSchema));

const experimentSchema = (registry: Registry): JsonSchema => {
  const paths = new Map(pathSchemas(registry));
  paths.set('train', [publicSchema(trainSchema, 'train')]);
  const trainPaths = new Map<string, JsonSchema[]>();
  collectPaths('train', publicSchema(trainSchema), trainPaths);
  for (const [path, schemas] of trainPaths) paths.set(path, schemas);

  const { properties } = publicSchema(specSchema) as { properties: Record<string, JsonSchema> };
  const required = ['version', 'name', ...requiredSections, 'train'];
  return {
    $schema: draft,
    title: 'Unroll experiment',
    description:
      'A training, or a sweep of many: which dataset, model and optimizer, how long, and what varies.',
    type: 'object',
    additionalProperties: false,
    properties: {
      ...properties,
      ...Object.fromEntries(namedSections.map((kind) => [kind, sectionSchema(registry, kind)])),
      train: publicSchema(trainSchema, 'train'),
      sweep: sweepWithPaths(),
    },
    // What a spec extends may have the rest.
    if: { not: { required: ['extends'] } },
    then: {
      required,
      // As a pattern, because an editor would offer a property a second time.
      patternProperties: { [`^(${namedSections.join('|')})$`]: { required: ['name'] } },
    },
    definitions: {
      values: pathObject(paths, (schemas, path) =>
        sections.includes(path) ? sectionOnItsOwn(path) : oneOfThem(schemas),
      ),
      axes: pathObject(paths, (schemas, path) => axisSchema(oneOfThem(schemas), path)),
      ...numberExpressions(),
      weights: {
        type: 'array',
        items: { type: 'number', exclusiveMinimum: 0 },
        description: 'How often each value is drawn by a search, relative to the others.',
      },
      numbers: {
        type: 'array',
        minItems: 2,
        maxItems: 2,
        items: { type: 'number' },
        description: 'The two bounds: real values, never exponents; both are included.',
      },
    },
  };
};

/** The `sweep` section, whose paths are those of the registries. */
const sweepWithPaths = (): JsonSchema => {
  const schema = publicSchema(sweepSchema, 'sweep');
  const properties = schema['properties'] as Record<string, JsonSchema>;
  const referring = (definition: string, from: JsonSchema | undefined): JsonSchema => ({
    ...without(from ?? {}, 'type', 'additionalProperties', 'minProperties'),
    allOf: [{ $ref: `#/definitions/${definition}` }],
  });
  const listOf = (definition: string, list: JsonSchema | undefined): JsonSchema => ({
    ...list,
    items: referring(definition, list?.['items'] as JsonSchema | undefined),
  });
  const when = properties['when'];
  const whenItems = (when?.['items'] ?? {}) as { properties?: Record<string, JsonSchema> };
  return {
    ...schema,
    properties: {
      ...properties,
      axes: referring('axes', properties['axes']),
      zip: listOf('axes', properties['zip']),
      when: {
        ...when,
        items: {
          ...whenItems,
          properties: {
            if: referring('values', whenItems.properties?.['if']),
            axes: referring('axes', whenItems.properties?.['axes']),
          },
        },
      },
      exclude: listOf('values', properties['exclude']),
      add: listOf('values', properties['add']),
    },
  };
};

type Paths = ReadonlyMap<string, readonly JsonSchema[]>;

const pathObject = (
  paths: Paths,
  schemaOf: (schemas: readonly JsonSchema[], path: string) => JsonSchema,
): JsonSchema => ({
  type: 'object',
  additionalProperties: false,
  properties: Object.fromEntries([...paths].map(([path, schemas]) => [path, schemaOf(schemas, path)])),
});

const oneOfThem = (schemas: readonly JsonSchema[]): JsonSchema => {
  const [first = {}, ...others] = schemas;
  if (others.length === 0) return first;
  const { title, description } = first;
  return { title, description, anyOf: schemas };
};

/** A section that is written as one value of a sweep, and so has to be complete. */
const sectionOnItsOwn = (kind: string): JsonSchema => ({
  ...(kind !== 'train' && { required: ['name'] }),
  allOf: [{ $ref: `#/properties/${kind}` }],
});

/** A list of values, or an expression where the values are numbers. */
const axisSchema = (values: JsonSchema, path: string): JsonSchema => {
  const forms = (values['anyOf'] ?? [values]) as JsonSchema[];
  const numeric = forms.some(({ type }) =>
    [type].flat().some((one) => one === 'number' || one === 'integer'),
  );
  const kinds = [...new Set(forms.map((form) => describeSchema(form as PlainSchema) || 'a whole section'))];
  const list = { type: 'array', minItems: 1, items: { $ref: `#/definitions/values/properties/${path}` } };
  const { title, description, examples } = values as {
    title?: string;
    description?: string;
    examples?: unknown[];
  };
  return {
    title: title ?? path,
    description: `Values of ${path} to try, each ${kinds.join(', or ')}. ${description ?? ''}`.trim(),
    ...(examples && { examples: [examples] }),
    anyOf: [list, ...(numeric ? [{ $ref: '#/definitions/expression' }] : []), weighted(path)],
  };
};

/** The first form of an axis, its list, with weights. */
const weighted = (path: string): JsonSchema =>
  expression('choice', {
    choice: { $ref: `#/definitions/axes/properties/${path}/anyOf/0` },
    weights: { $ref: '#/definitions/weights' },
  });

const numberForms = axisKinds.filter((kind) => kind !== 'choice').map((kind) => axisForms[kind]);

/** The ways to write numbers without a list. */
const numberExpressions = (): JsonSchema => {
  const numbers = { $ref: '#/definitions/numbers' };
  const steps = {
    type: 'integer',
    minimum: 2,
    description: 'How many values, both bounds included.',
    examples: [3],
  };
  const step = { type: 'number', description: 'The distance between two values.', examples: [16] };
  return {
    expression: {
      // Whole forms to choose from, for editors of the VS Code family.
      defaultSnippets: numberForms.map((label) => ({ label, body: parse(label) as unknown })),
      anyOf: [
        expression('range', { range: numbers, step }),
        expression('linear', { linear: numbers, steps }, ['steps']),
        expression('log', { log: numbers, steps }, ['steps']),
        expression('uniform', { uniform: numbers, step }),
        expression('logUniform', { logUniform: numbers, step }),
        expression('integer', { integer: numbers, step }),
      ],
    },
  };
};

const expression = (
  kind: AxisKind,
  properties: JsonSchema,
  required: readonly string[] = [],
): JsonSchema => ({
  type: 'object',
  title: axisForms[kind],
  additionalProperties: false,
  required: [kind, ...required],
  properties,
});

const runSchema = (registry: Registry): JsonSchema => {
  const hex = (length: number, description: string) => ({
    type: 'string',
    pattern: `^[0-9a-f]{${length}}$`,
    description,
  });
  const train = publicSchema(trainSchema, 'train');
  const version = { type: 'integer', minimum: 0 };
  const versions = [...requiredSections, 'trainer'];
  const properties = {
    id: hex(
      12,
      'Short hash of all that decides the numbers: configuration, digest of the data, seed and versions.',
    ),
    cell: hex(12, 'The same without the seed: runs of one configuration differ only by seed.'),
    experiment: { type: 'string', description: 'The name of the spec.' },
    seed: { type: 'integer', minimum: 0, description: 'Decides every random draw of the run.' },
    config: {
      type: 'object',
      description: 'The configuration with every default resolved.',
      additionalProperties: false,
      required: [...requiredSections, 'train'],
      properties: {
        ...Object.fromEntries(namedSections.map((kind) => [kind, resolvedSectionSchema(registry, kind)])),
        train: { ...train, required: trainSchema.required },
      },
    },
    datasetDigest: { type: 'string', description: 'Identifies the content of the data.' },
    versions: {
      type: 'object',
      description: 'Versions of the registry entries and of the trainer.',
      additionalProperties: false,
      required: versions,
      properties: Object.fromEntries([...namedSections, 'trainer'].map((one) => [one, version])),
    },
    code: {
      type: 'object',
      description: "SHA-256 of the modules of the entries that the user's config defines.",
      additionalProperties: false,
      properties: Object.fromEntries(
        namedSections.map((kind) => [kind, { type: 'string', pattern: '^[0-9a-f]{64}$' }]),
      ),
    },
    varying: {
      type: 'object',
      description: 'The values in which the run differs from the others of its sweep, by path.',
    },
  };
  return {
    $schema: draft,
    title: 'Unroll run',
    description: 'One training: a fully resolved configuration and one seed.',
    type: 'object',
    additionalProperties: false,
    required: Object.keys(properties).filter((key) => key !== 'code'),
    properties,
  };
};

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
