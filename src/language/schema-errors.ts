import type { ErrorObject } from 'ajv';
import type { Issue, Path } from '../diagnostic/diagnostic.ts';
import { mostInJson } from '../diagnostic/most.ts';
import { nearest } from '../diagnostic/nearest.ts';
import { isNonFinite, type Json } from '../system/json.ts';
import {
  describeSchema,
  describeValue,
  exampleOf,
  numberWithComma,
  writeValue,
  type PlainSchema,
} from './describe.ts';
import { formatPath } from './located.ts';

/** The known name that was meant is searched for at most this many unknown names. */
export const mostSuggestions = 100;

/** What was checked. */
interface CheckedValue {
  readonly written: Json;
  /** What has the keys: `model lstm`. */
  readonly owner: string;
  /** Unknown keys that ajv was not asked about. */
  readonly leftOut: number;
  readonly fits: Fits;
}

/** Whether a value surely fits a schema; fills in its defaults. */
type Fits = (schema: PlainSchema, value: Json) => boolean;

/** The errors of ajv as issues, one a cause. */
export const issuesOf = (
  errors: readonly ErrorObject[],
  { written, owner, leftOut, fits }: CheckedValue,
): readonly Issue[] => {
  const issues = new Map<string, Issue>();
  const unknown = errors
    .filter(({ keyword }) => keyword === 'additionalProperties')
    .slice(0, mostSuggestions);
  let unknownKeys = 0;
  let lastUnknown = '';
  // A misspelt key is one mistake, although the right key is then missing too.
  const meant = new Set(
    unknown.map(
      (error) =>
        `${error.instancePath}/${nearestKey(error, pathOf(error.instancePath, written), written) ?? ''}`,
    ),
  );
  let wrongValues = 0;
  let lastWrong = '';
  for (const error of errors) {
    const path = pathOf(error.instancePath, written);
    if (error.keyword === 'additionalProperties') {
      const key = (error.params as { additionalProperty: string }).additionalProperty;
      lastUnknown = `${error.instancePath}/${key}`;
      issues.set(
        lastUnknown,
        unknownKey(error, path, { key, owner, written, suggest: unknownKeys++ < mostSuggestions }),
      );
    } else if (error.keyword === 'required') {
      const key = (error.params as { missingProperty: string }).missingProperty;
      if (meant.has(`${error.instancePath}/${key}`)) continue;
      issues.set(`${error.instancePath}/${key}`, missingKey(error, path, { key, owner }));
    } else if (!issues.has(error.instancePath) && error.keyword !== 'if') {
      // The last one represents all that are not shown.
      if (++wrongValues > mostInJson) continue;
      lastWrong = error.instancePath;
      issues.set(error.instancePath, wrongValue(error, path, { beside: listAround(path, written), fits }));
    }
  }
  const countMore = (pointer: string, more: number) => {
    const last = issues.get(pointer);
    if (last && more > 0) issues.set(pointer, { ...last, more });
  };
  countMore(lastUnknown, leftOut);
  countMore(lastWrong, wrongValues - mostInJson);
  return [...issues.values()];
};

/** The keys of a JSON pointer; the value shows whether a key is an index. */
const pathOf = (pointer: string, root: Json): Path => {
  let value: unknown = root;
  return pointer
    .split('/')
    .slice(1)
    .map((part) => {
      const key = part.replace(/~1/g, '/').replace(/~0/g, '~');
      const step = Array.isArray(value) ? Number(key) : key;
      value = (value as Readonly<Record<string | number, unknown>> | null | undefined)?.[step];
      return step;
    });
};

const schemaOf = (error: ErrorObject): PlainSchema => (error.parentSchema ?? {}) as PlainSchema;

/** The nearest known key that is not written beside the unknown one; the checked copy has defaults in it. */
const nearestKey = (error: ErrorObject, path: Path, written: Json): string | undefined => {
  const known = Object.keys(schemaOf(error).properties ?? {});
  let beside: unknown = written;
  for (const part of path) beside = (beside as Readonly<Record<string | number, unknown>>)[part];
  return nearest(
    (error.params as { additionalProperty: string }).additionalProperty,
    known.filter((key) => !Object.hasOwn(beside as object, key)),
  );
};

/** `truncation of train`, `model lstm`; empty for the whole spec. */
const ownerOf = (owner: string, path: Path): string => [formatPath(path), owner].filter(Boolean).join(' of ');

const unknownKey = (
  error: ErrorObject,
  path: Path,
  {
    key,
    owner,
    written,
    suggest,
  }: {
    readonly key: string;
    readonly owner: string;
    readonly written: Json;
    readonly suggest: boolean;
  },
): Issue => {
  const known = Object.keys(schemaOf(error).properties ?? {});
  const near = suggest ? nearestKey(error, path, written) : undefined;
  // Not to be written a second time, but most likely what was meant, as with --set.
  const beside = suggest && near === undefined ? nearest(key, known) : undefined;
  const meant = near ?? beside;
  const [beforeColon = ''] = key.split(':');
  return {
    code: 'unknown-key',
    message: `${key} is not a key of ${ownerOf(owner, path) || 'a spec'}.`,
    path: [...path, key],
    onKey: true,
    key,
    expected: known.length ? known.join(', ') : 'no keys at all',
    got: key,
    ...(meant !== undefined && { nearest: meant }),
    help:
      beforeColon !== key && (near !== undefined || known.includes(beforeColon))
        ? `Put a space after the colon: \`${near ?? beforeColon}: ...\`.`
        : near !== undefined
          ? `Did you mean ${near}? Write \`${near}:\` in place of \`${key}:\`.`
          : beside !== undefined
            ? `Did you mean ${beside}, which is set already?`
            : `Remove ${key}.`,
  };
};

const missingKey = (
  error: ErrorObject,
  path: Path,
  { key, owner }: { readonly key: string; readonly owner: string },
): Issue => {
  const schema: PlainSchema = schemaOf(error).properties?.[key] ?? {};
  const example = exampleOf(schema);
  return {
    code: 'missing-key',
    message: `${ownerOf(owner, path) || 'The spec'} has no ${key}.`,
    path,
    onKey: true,
    key,
    expected: describeSchema(schema) || 'a value',
    got: 'nothing',
    help:
      example === undefined
        ? `Add the key ${key}.`
        : `Add it, for example \`${key}: ${writeValue(example)}\`.`,
  };
};

/** The list that the value at a path is an item of. */
const listAround = (path: Path, root: Json): readonly Json[] => {
  let around: unknown = root;
  for (const part of path.slice(0, -1)) around = (around as Readonly<Record<string | number, unknown>>)[part];
  return Array.isArray(around) ? (around as readonly Json[]) : [];
};

const wrongValue = (
  error: ErrorObject,
  path: Path,
  { beside, fits }: Pick<Wrong, 'beside' | 'fits'>,
): Issue => {
  const schema = schemaOf(error);
  const value = error.data as Json;
  const named = path.findLast((part) => typeof part === 'string') ?? 'the value';
  // A value of a list has no key.
  const name = typeof path.at(-1) === 'number' ? `a value of ${named}` : named;
  const allowed = (schema.enum ?? []).filter((one): one is string => typeof one === 'string');
  const near = typeof value === 'string' ? nearest(value, allowed) : undefined;
  const byKeyword: Partial<Record<string, Issue['code']>> = {
    type: 'wrong-type',
    enum: typeof value === 'string' || allowed.length === 0 ? 'not-allowed' : 'wrong-type',
    const: 'not-allowed',
    pattern: 'not-allowed',
  };
  const keyword = isNonFinite(value) && isNumeric(schema) ? 'finite' : error.keyword;
  const expected = describeSchema(schema);
  return {
    code: byKeyword[keyword] ?? 'out-of-range',
    message: sentence(keyword, value, name.replace(/^a /, 'A ')),
    path,
    expected: keyword === 'finite' ? expected.replace(/^a number/, 'a finite number') : expected,
    got: describeValue(value),
    ...(near !== undefined && { nearest: near }),
    help: howToFix({ schema, value, name, near, beside, fits }),
    ...(near === undefined &&
      isQuotable(schema, value) && { inQuotes: { value: describeValue(value), pattern: schema.pattern } }),
  };
};

const sentence = (keyword: string, value: Json, name: string): string => {
  switch (keyword) {
    case 'type':
      return `${name} has the wrong type.`;
    case 'enum':
    case 'const':
    case 'pattern':
      return `${name} cannot be ${describeValue(value)}.`;
    case 'minItems':
    case 'minLength':
    case 'minProperties':
      return `${name} is too short.`;
    case 'maxItems':
    case 'maxLength':
      return `${name} is too long.`;
    default:
      return `${name} is out of range.`;
  }
};

interface Wrong {
  readonly schema: PlainSchema;
  readonly value: Json;
  readonly name: string;
  readonly near: string | undefined;
  /** The items of the list that the value is in. */
  readonly beside: readonly Json[];
  readonly fits: Fits;
}

const howToFix = ({ schema, value, name, near, beside, fits }: Wrong): string => {
  const write = (text: string) => (name.includes(' ') ? text : `\`${name}: ${text}\``);
  if (near !== undefined) return `Did you mean ${near}? Write ${write(near)}.`;
  const types = [schema.type ?? []].flat();
  if (meansNothing(value, types)) {
    if (types.includes('null')) return `Write ${write('null')}.`;
    if (schema.default !== undefined && schema.default !== null) return leaveOut(name, schema.default);
  }
  if (typeof value === 'string' && isNumeric(schema)) {
    const number = numberIn(value);
    if (number !== undefined) return `${number.advice}: ${write(number.text)}.`;
    if (isListOfNumbers(value))
      return `Write ${write(value.split(',')[0]?.trim() ?? '')}; to try several, list them under sweep.axes: [${value}].`;
  }
  if (types.includes('boolean') && (typeof value === 'string' || typeof value === 'number')) {
    const meant = booleans[String(value).toLowerCase()];
    if (meant !== undefined && meant === value) return `Write it without quotes: ${write(meant)}.`;
    if (meant !== undefined) return `YAML 1.2 has only true and false: write ${write(meant)}.`;
  }
  if (isQuotable(schema, value)) {
    return `Put it in quotes to make it a string: ${write(JSON.stringify(describeValue(value)))}.`;
  }
  if (typeof value === 'number' && isDuration(schema) && isTextLike(schema, `${value}s`)) {
    return `Add a unit: ${write(`${value}s`)}, ${write(`${value}m`)} or ${write(`${value}h`)}.`;
  }
  if (value === null && schema.default !== undefined && schema.default !== null)
    return leaveOut(name, schema.default);
  const [only] = Array.isArray(value) ? (value as readonly Json[]) : [];
  const isRow = typeof only === 'object' && only !== null && 'name' in only;
  const isOneOfType = only !== undefined && !types.includes('array') && isRow === types.includes('object');
  if (isOneOfType && (isRow || fits(schema, structuredClone(only)))) {
    return `Write one value, for example ${write(writeValue(only))}; to try several, list them under sweep.axes.`;
  }
  const example =
    (schema.enum?.find((one) => !beside.includes(one as Json) && beside.length > 0) as Json | undefined) ??
    exampleOf(schema);
  if (example === undefined) return `Write ${describeSchema(schema)}.`;
  // Who writes .inf for "no limit" means the default of a setting that may be null.
  const orNone = isNonFinite(value) && schema.default === null ? `, or leave ${name} out` : '';
  return `Write for example ${write(writeValue(example))}${orNone}.`;
};

const leaveOut = (name: string, preset: Json): string =>
  `Leave ${name} out to have its default, ${writeValue(preset)}, or write a value.`;

/** Whether a value is what other languages write for null. */
const meansNothing = (value: Json, types: readonly string[]): boolean => {
  if (typeof value === 'string' && /^(none|null|nil|nothing|undefined|n\/?a|~)$/i.test(value)) return true;
  const isOff = value === false || (typeof value === 'string' && /^(off|no|never|false)$/i.test(value));
  return isOff && types.includes('null') && !types.includes('boolean');
};

const booleans: Readonly<Record<string, 'true' | 'false'>> = {
  ...{ true: 'true', yes: 'true', y: 'true', on: 'true', '1': 'true' },
  ...{ false: 'false', no: 'false', n: 'false', off: 'false', '0': 'false' },
};

/** The number that a string means, as YAML writes it. */
const numberIn = (text: string): { readonly advice: string; readonly text: string } | undefined => {
  const trimmed = text.trim();
  const plain = (one: string) => one !== '' && Number.isFinite(Number(one));
  if (plain(trimmed)) return { advice: 'Write the number without quotes', text: trimmed };
  const cut = trimmed.replace(/[,;]$/, '');
  if (plain(cut)) return { advice: 'Write the number alone', text: cut };
  const digits = trimmed.replace(/(?<=\d)_(?=\d)/g, '');
  if (plain(digits)) return { advice: 'Write the number without underscores', text: digits };
  const withoutComma = numberWithComma(trimmed);
  if (withoutComma !== undefined) return { advice: 'Write the number without a comma', text: withoutComma };
  const [, percent] = /^(\d+(?:\.\d+)?)\s*%$/.exec(trimmed) ?? [];
  if (percent !== undefined)
    return {
      advice: 'Write the share as a number',
      text: String(Number((Number(percent) / 100).toPrecision(12))),
    };
  const [, base, exponent] = /^(\d+)\s*(?:\^|\*\*)\s*(-?\d+)$/.exec(trimmed) ?? [];
  const power = Number(base) ** Number(exponent);
  return base !== undefined && Number.isFinite(power)
    ? { advice: 'Write the number itself', text: String(power) }
    : undefined;
};

const isNumeric = ({ type, enum: allowed = [] }: PlainSchema): boolean =>
  [type ?? []].flat().some((one) => one === 'integer' || one === 'number') ||
  allowed.some((one) => typeof one === 'number');

const isListOfNumbers = (text: string): boolean =>
  text.includes(',') && text.split(',').every((one) => one.trim() !== '' && Number.isFinite(Number(one)));

const isTextLike = ({ type, enum: allowed, pattern }: PlainSchema, text: string): boolean =>
  [type ?? []].flat().includes('string') &&
  !allowed &&
  (pattern === undefined || new RegExp(pattern).test(text));

/** A duration is a number with a unit, not a number alone. */
const isDuration = (schema: PlainSchema): boolean => isTextLike(schema, '1s') && !isTextLike(schema, '1');

/** Whether a string is wanted, and YAML has read what is written as something else. */
const isQuotable = (schema: PlainSchema, value: Json): boolean =>
  (typeof value === 'number' || typeof value === 'boolean') && isTextLike(schema, describeValue(value));
