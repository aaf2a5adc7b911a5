import { isNonFinite, type Json } from '../system/json.ts';

/** The keywords of JSON Schema that parameter schemas use. */
export interface PlainSchema {
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
  readonly multipleOf?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly uniqueItems?: boolean;
  readonly items?: PlainSchema;
  readonly minProperties?: number;
  readonly patternProperties?: Readonly<Record<string, PlainSchema>>;
  readonly properties?: Readonly<Record<string, PlainSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | PlainSchema;
  readonly default?: Json;
  readonly examples?: readonly Json[];
  readonly title?: string;
  readonly description?: string;
  /** How a message calls what is expected, where type and bounds do not describe it well. */
  readonly phrase?: string;
}

const typeNames: Readonly<Record<string, string>> = {
  integer: 'a whole number',
  number: 'a number',
  string: 'a string',
  boolean: 'true or false',
  array: 'a list',
  object: 'a mapping',
  null: 'null',
};

const listed = (words: readonly string[]): string =>
  words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} or ${words.at(-1) ?? ''}`;

/** What a schema accepts, as a short phrase: `a whole number from 1 to 4096`, `last, mean or max`. */
export const describeSchema = (schema: PlainSchema): string => {
  if (schema.phrase !== undefined) return schema.phrase;
  const types = typeof schema.type === 'string' ? [schema.type] : (schema.type ?? []);
  if (schema.enum || schema.const !== undefined) {
    const values = schema.enum ?? [schema.const];
    const orNull = types.includes('null') && !values.includes(null) ? ['null'] : [];
    return listed([
      ...values.map((value) => (typeof value === 'string' ? value : JSON.stringify(value))),
      ...orNull,
    ]);
  }
  return listed(types.map((type) => `${typeNames[type] ?? type}${boundsOf(type, schema)}`));
};

const boundsOf = (type: string, schema: PlainSchema): string => {
  if (type === 'integer' || type === 'number') {
    const { minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf } = schema;
    const low =
      minimum !== undefined
        ? `from ${minimum}`
        : exclusiveMinimum !== undefined
          ? `above ${exclusiveMinimum}`
          : '';
    const high =
      maximum !== undefined
        ? `${minimum !== undefined ? 'to' : 'up to'} ${maximum}`
        : exclusiveMaximum !== undefined
          ? `below ${exclusiveMaximum}`
          : '';
    const joint = low && high && minimum === undefined ? ' and ' : ' ';
    const bounds = [low, high].filter(Boolean).join(joint);
    const steps = multipleOf === undefined ? '' : ` that is a multiple of ${multipleOf}`;
    return (bounds && ` ${bounds}`) + steps;
  }
  if (type === 'array') {
    const { minItems, items } = schema;
    const what =
      items?.type === undefined && items?.phrase === undefined ? '' : `, each ${describeSchema(items)}`;
    return (
      (minItems === undefined ? '' : ` with at least ${minItems} ${minItems === 1 ? 'value' : 'values'}`) +
      what
    );
  }
  const keys = Object.keys(schema.properties ?? {});
  if (type === 'object' && keys.length > 0 && keys.length <= 6) return ` (${keys.join(', ')})`;
  return type === 'string' && schema.minLength === 1 ? ' that is not empty' : '';
};

/** The value of a parameter that may be left out; null is its default then. */
export const describeSetting = (value: Json | undefined): string => describeValue(value ?? undefined);

/** A value as a message shows it, cut to a line: `"512" (a string)`. */
export const describeValue = (value: Json | undefined): string => {
  if (value === undefined) return 'nothing';
  if (value === null) return 'nothing (null)';
  if (Array.isArray(value))
    return value.length === 0
      ? 'an empty list'
      : `the list ${shorten(JSON.stringify(value, nonFiniteAsText))}`;
  if (typeof value === 'string') return `${shorten(JSON.stringify(value))} (a string)`;
  if (typeof value === 'number') {
    if (!isNonFinite(value)) return String(value);
    return Number.isNaN(value) ? '.nan' : value > 0 ? '.inf' : '-.inf';
  }
  if (typeof value === 'boolean') return String(value);
  const keys = Object.keys(value);
  return keys.length === 0 ? 'an empty mapping' : shorten(`a mapping with ${keys.join(', ')}`);
};

/** JSON has no such numbers and would show null. */
const nonFiniteAsText = (_: string, value: Json): Json => (isNonFinite(value) ? describeValue(value) : value);

const shorten = (text: string): string => (text.length > 60 ? `${text.slice(0, 57)}...` : text);

/** A value as YAML would write it on one line. */
export const writeValue = (value: Json): string => {
  if (Array.isArray(value)) return `[${value.map(writeValue).join(', ')}]`;
  if (typeof value === 'object' && value !== null) {
    const pairs = Object.entries(value as Readonly<Record<string, Json>>);
    return `{ ${pairs.map(([key, inner]) => `${key}: ${writeValue(inner)}`).join(', ')} }`;
  }
  return typeof value === 'string' && /^[\w./-]+$/.test(value) ? value : JSON.stringify(value);
};

/** A value that the schema accepts, to show in a message: an example, the default, an allowed value, or a bound. */
export const exampleOf = (schema: PlainSchema): Json | undefined => {
  const [example] = schema.examples ?? [];
  if (example !== undefined) return example;
  if (schema.default !== undefined && schema.default !== null) return schema.default;
  const [first] = schema.enum ?? [schema.const];
  if (first !== undefined) return first as Json;
  const types = typeof schema.type === 'string' ? [schema.type] : (schema.type ?? []);
  if (types.includes('integer') || types.includes('number')) {
    return schema.minimum ?? (schema.exclusiveMinimum === undefined ? 1 : schema.exclusiveMinimum + 1);
  }
  return types.includes('boolean') ? true : undefined;
};

/** The number of `0,5` or `1,000`; undefined of `64,128`, which is rather a list. */
export const numberWithComma = (text: string): string | undefined => {
  if (/^-?0,\d+$/.test(text)) return text.replace(',', '.');
  return /^-?\d{1,3}(,000)+$/.test(text) ? text.replaceAll(',', '') : undefined;
};
