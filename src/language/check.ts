import type { TSchema } from '@sinclair/typebox';
import type * as ajvPackage from 'ajv';
import type { Ajv, ValidateFunction } from 'ajv';
import { createRequire } from 'node:module';
import type { Issue } from '../diagnostic/diagnostic.ts';
import { mostInJson } from '../diagnostic/most.ts';
import { isObject, type Json } from '../system/json.ts';
import type { PlainSchema } from './describe.ts';
import { issuesOf } from './schema-errors.ts';

export interface Checked {
  /** A copy with every default filled in. */
  readonly value: Json;
  readonly issues: readonly Issue[];
}

/** Checks a value against a schema without unions: one issue a cause. `owner` is what has the keys: `model lstm`. */
export const checkAgainst = (schema: TSchema, written: Json, owner = ''): Checked => {
  const form = closedFormOf(schema);
  const right = copyToCheck(form, written).copy;
  if (fits(form, right)) return { value: right, issues: [] };
  const validate = validatorOf(schema);
  const { copy: value, leftOut } = copyToCheck(form, written);
  if (validate(value)) return { value, issues: [] };
  return { value, issues: issuesOf(validate.errors ?? [], { written, owner, leftOut, fits }) };
};

let ajv: Ajv | undefined;

/** Loaded at the first mistake: that takes as long as everything else that a small spec without one needs. */
const loadAjv = (): Ajv => {
  const { Ajv } = createRequire(import.meta.url)('ajv') as typeof ajvPackage;
  return new Ajv({
    allErrors: true,
    useDefaults: true,
    verbose: true,
    messages: false,
    strict: false,
    // No type accepts a number that is not finite, whatever bounds its schema has.
    strictNumbers: true,
    validateSchema: false,
    code: { optimize: false },
  });
};

const compiled = new WeakMap<TSchema, ValidateFunction>();
const closedForms = new WeakMap<TSchema, PlainSchema>();

/** ajv's check of the closed form of a schema, compiled once. */
const validatorOf = (schema: TSchema): ValidateFunction => {
  ajv ??= loadAjv();
  const validate = compiled.get(schema) ?? ajv.compile(closedFormOf(schema));
  compiled.set(schema, validate);
  return validate;
};

const closedFormOf = (schema: TSchema): PlainSchema => {
  const form = closedForms.get(schema) ?? closed(schema);
  closedForms.set(schema, form);
  return form;
};

/** The schema with every object closed: a key that is not known is a mistake everywhere. */
const closed = (schema: PlainSchema): PlainSchema => {
  const { properties } = schema;
  if (!properties) return schema;
  const inner = Object.entries(properties).map(([key, value]) => [key, closed(value)] as const);
  return { additionalProperties: false, ...schema, properties: Object.fromEntries(inner) };
};

/** A copy that gets the defaults, without the unknown keys that are not shown: the check reports each one. */
const copyToCheck = (
  schema: PlainSchema,
  written: Json,
): { readonly copy: Json; readonly leftOut: number } => {
  let unknown = 0;
  const copied = (value: Json, form: PlainSchema): Json => {
    if (typeof value !== 'object' || value === null) return value;
    if (Array.isArray(value)) return (value as readonly Json[]).map((one) => copied(one, form.items ?? {}));
    const { properties = {}, additionalProperties } = form;
    const copy: Record<string, Json> = {};
    for (const [key, inner] of Object.entries(value as Readonly<Record<string, Json>>)) {
      const known = Object.hasOwn(properties, key) ? properties[key] : undefined;
      const isUnknown = !known && additionalProperties === false && !('patternProperties' in form);
      if (isUnknown && ++unknown > mostInJson) continue;
      copy[key] = copied(inner, known ?? {});
    }
    return copy;
  };
  return { copy: copied(written, schema), leftOut: Math.max(0, unknown - mostInJson) };
};

/** What the keywords of schemas ask of a value that has the schema's type. */
const keywords: { readonly [K in keyof PlainSchema]-?: Keyword<K> } = {
  type: (types, value) => [types].flat().some((type) => isOfType(type, value)),
  // Objects and lists are left to ajv.
  enum: (allowed, value) => allowed.includes(value) && isScalar(value),
  const: (one, value) => one === value && isScalar(value),
  minimum: (bound, value) => typeof value !== 'number' || value >= bound,
  maximum: (bound, value) => typeof value !== 'number' || value <= bound,
  exclusiveMinimum: (bound, value) => typeof value !== 'number' || value > bound,
  exclusiveMaximum: (bound, value) => typeof value !== 'number' || value < bound,
  multipleOf: (_, value) => typeof value !== 'number',
  minLength: (bound, value) => typeof value !== 'string' || Array.from(value).length >= bound,
  maxLength: (bound, value) => typeof value !== 'string' || Array.from(value).length <= bound,
  pattern: (pattern, value) => typeof value !== 'string' || new RegExp(pattern, 'u').test(value),
  minItems: (bound, value) => !isList(value) || value.length >= bound,
  maxItems: (bound, value) => !isList(value) || value.length <= bound,
  uniqueItems: (unique, value) =>
    !unique || !isList(value) || (value.every(isScalar) && new Set(value).size === value.length),
  items: (items, value) => !isList(value) || value.every((item) => fits(items, item)),
  minProperties: (bound, value) => !isMap(value) || Object.keys(value).length >= bound,
  patternProperties: (patterns, value) =>
    !isMap(value) ||
    Object.entries(patterns).every(([pattern, inner]) =>
      Object.entries(value).every(([key, one]) => !new RegExp(pattern, 'u').test(key) || fits(inner, one)),
    ),
  properties: (properties, value) =>
    !isMap(value) ||
    Object.entries(properties).every(
      ([key, inner]) => !Object.hasOwn(value, key) || fits(inner, value[key] as Json),
    ),
  required: (names, value) => !isMap(value) || names.every((name) => Object.hasOwn(value, name)),
  additionalProperties: (rest, value, { properties = {}, patternProperties }) =>
    !isMap(value) ||
    rest === true ||
    patternProperties !== undefined ||
    Object.entries(value).every(
      ([key, inner]) => Object.hasOwn(properties, key) || (rest !== false && fits(rest, inner)),
    ),
  default: () => true,
  examples: () => true,
  title: () => true,
  description: () => true,
  phrase: () => true,
};

type Keyword<K extends keyof PlainSchema> = (
  wanted: NonNullable<PlainSchema[K]>,
  value: Json,
  schema: PlainSchema,
) => boolean;

/** Keywords of entries' schemas about how a run is recorded, not about what a value may be. */
const others: ReadonlySet<string> = new Set(['addedLater']);

/**
 * Fills the defaults into a value, and returns whether it surely fits a schema, as ajv would. Loading ajv and compiling a schema
 * with it takes longer than all else that a small spec needs, so ajv checks again only what does not fit, for the errors.
 */
export const fits = (schema: PlainSchema, value: Json): boolean => {
  if (isMap(value)) fillDefaults(schema, value);
  return Object.entries(schema).every(([keyword, wanted]: [string, unknown]) => {
    const check = Object.hasOwn(keywords, keyword) ? keywords[keyword as keyof PlainSchema] : undefined;
    if (!check) return others.has(keyword);
    return (check as (wanted: unknown, value: Json, schema: PlainSchema) => boolean)(wanted, value, schema);
  });
};

const fillDefaults = ({ properties = {} }: PlainSchema, value: Record<string, Json>): void => {
  for (const [key, { default: preset }] of Object.entries(properties))
    if (preset !== undefined && !Object.hasOwn(value, key)) value[key] = structuredClone(preset);
};

const isOfType = (type: string, value: Json): boolean => {
  switch (type) {
    case 'number':
      return Number.isFinite(value);
    case 'integer':
      return Number.isInteger(value);
    case 'null':
      return value === null;
    case 'array':
      return isList(value);
    case 'object':
      return isMap(value);
    default:
      return typeof value === type;
  }
};

const isScalar = (value: Json): boolean => typeof value !== 'object' || value === null;

const isList = (value: Json): value is Json[] => Array.isArray(value);

const isMap = (value: Json): value is Record<string, Json> => isObject(value);
