import { hash } from 'node:crypto';

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

/** For `JSON.stringify`: numbers as `encodeNumber` writes them. */
export const numbersOut = (_key: string, value: unknown): unknown =>
  typeof value === 'number' ? encodeNumber(value) : value;

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

/**
 * JSON with the keys of every mapping sorted: equal values give equal strings. Throws on a number that is not finite: JSON
 * has none, and as null it would share an id with a setting that is not used. Specs are checked before they come here.
 */
export const canonicalJson = (value: Json | object): string => {
  if (Array.isArray(value)) return `[${(value as readonly Json[]).map(canonicalJson).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    const map = value as Readonly<Record<string, Json>>;
    const pairs = Object.keys(map)
      .sort()
      .map((key) => `${JSON.stringify(key)}:${canonicalJson(map[key] ?? null)}`);
    return `{${pairs.join(',')}}`;
  }
  if (isNonFinite(value)) throw new RangeError(`Canonical JSON cannot hold ${String(value)}.`);
  return JSON.stringify(value);
};

/** Whether lists and mappings in a value are nested in more levels than these. Any depth is looked at without recursion. */
export const isDeeperThan = (value: unknown, levels: number): boolean => {
  let level: unknown[] = [value];
  for (let depth = 0; depth <= levels; depth++) {
    level = level.flatMap((one): unknown[] =>
      typeof one === 'object' && one !== null ? Object.values(one) : [],
    );
    if (level.length === 0) return false;
  }
  return true;
};

/** No JSON that Unroll or MLflow writes nests further: a spec may have 64 levels. */
export const deepestJson = 200;

type Reviver = (key: string, value: unknown) => unknown;

/** JSON that nests so deep that a function which calls itself for each level could use up the stack. */
export class JsonTooDeep extends SyntaxError {
  constructor() {
    super(`it has more than ${deepestJson} levels of lists and objects`);
  }
}

/** Parses JSON that another program may have written. Throws a `SyntaxError`, also where it nests too deep. */
export const readJsonText = (text: string, reviver?: Reviver): unknown => {
  const value = JSON.parse(text) as unknown;
  // Each level takes two characters.
  if (text.length > 2 * deepestJson && isDeeperThan(value, deepestJson)) throw new JsonTooDeep();
  return reviver ? (JSON.parse(text, reviver) as unknown) : value;
};

/** As `readJsonText`; undefined where that throws. */
export const parseJson = (text: string, reviver?: Reviver): unknown => {
  try {
    return readJsonText(text, reviver);
  } catch {
    return undefined;
  }
};

/** 12 hex digits of the SHA-256 of a string. */
export const shortHash = (text: string): string => hash('sha256', text, 'hex').slice(0, 12);

const width = 120;

/**
 * JSON for people and for small files: what fits on a line is on one, and so does every list of plain values, however
 * long. `value` is plain data.
 */
export const jsonText = (value: unknown): string => `${laidOut(value, '')}\n`;

const laidOut = (value: unknown, indent: string): string => {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const isPlainList = Array.isArray(value) && value.every((one) => typeof one !== 'object' || one === null);
  const line = onOneLine(value, isPlainList ? Infinity : width - indent.length);
  if (line !== undefined) return line;
  const inner = `${indent}  `;
  const parts = Array.isArray(value)
    ? value.map((one) => laidOut(one, inner))
    : Object.entries(value)
        .filter(([, one]) => one !== undefined)
        .map(([key, one]) => `${JSON.stringify(key)}: ${laidOut(one, inner)}`);
  const [open, close] = Array.isArray(value) ? '[]' : '{}';
  return `${open ?? ''}\n${inner}${parts.join(`,\n${inner}`)}\n${indent}${close ?? ''}`;
};

/** The value on one line, or undefined where it is longer than `most`. */
const onOneLine = (value: unknown, most: number): string | undefined => {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const entries = Array.isArray(value)
    ? value.map((one: unknown) => ['', one] as const)
    : Object.entries(value).filter(([, one]) => one !== undefined);
  const parts: string[] = [];
  let length = 2;
  for (const [key, one] of entries) {
    const text = onOneLine(one, most - length);
    if (text === undefined) return undefined;
    const part = Array.isArray(value) ? text : `${JSON.stringify(key)}: ${text}`;
    length += part.length + 2;
    if (length > most) return undefined;
    parts.push(part);
  }
  if (Array.isArray(value)) return `[${parts.join(', ')}]`;
  return parts.length === 0 ? '{}' : `{ ${parts.join(', ')} }`;
};
