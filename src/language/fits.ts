import { isObject, type Json } from '../system/json.ts';
import type { PlainSchema } from './describe.ts';

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
