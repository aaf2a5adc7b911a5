/** Any JSON value, deeply readonly. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** Whether a value is a JSON object: no list, and not null. */
export const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Whether a value is `.inf`, `-.inf` or `.nan`. YAML has these numbers, and reads 1e999 as one; no setting accepts them. */
export const isNonFinite = (value: unknown): value is number =>
  typeof value === 'number' && !Number.isFinite(value);

/** A number as our JSON files and MLflow's interface hold it: JSON has no NaN and no infinities. */
export type JsonNumber = number | 'NaN' | 'Infinity' | '-Infinity';

export const isJsonNumber = (value: unknown): value is JsonNumber =>
  typeof value === 'number'
    ? Number.isFinite(value)
    : value === 'NaN' || value === 'Infinity' || value === '-Infinity';

export const encodeNumber = (value: number): JsonNumber =>
  Number.isFinite(value) ? value : (String(value) as JsonNumber);

/** The number of a recorded value. 0.1.0 wrote null in places for a number that is not finite; it becomes NaN. */
export const decodeNumber = (value: unknown): number =>
  typeof value === 'number' ? value : typeof value === 'string' ? Number(value) : NaN;

export const encodeNumbers = (values: Readonly<Record<string, number>>): Record<string, JsonNumber> =>
  Object.fromEntries(Object.entries(values).map(([key, value]) => [key, encodeNumber(value)]));

export const decodeNumbers = (values: Readonly<Record<string, unknown>>): Record<string, number> =>
  Object.fromEntries(Object.entries(values).map(([key, value]) => [key, decodeNumber(value)]));

/** The leaves of a JSON value by dotted path: `model.hiddenSize`. A list is one leaf, null too; an empty mapping has none. */
export const leavesOf = (value: Json, path = ''): (readonly [path: string, value: Json])[] =>
  !isObject(value)
    ? [[path, value]]
    : Object.entries(value).flatMap(([key, inner]) => leavesOf(inner, path === '' ? key : `${path}.${key}`));
