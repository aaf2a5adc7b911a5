import { isObject } from '../../system/json.ts';

/**
 * The parts of an answer, of the form that they should have. A part of another form counts as left out: what answers may
 * be no MLflow server, a proxy, or a later version.
 */

type Fields = Readonly<Record<string, unknown>>;

export const fieldsOf = (value: unknown): Fields => (isObject(value) ? value : {});

export const listOf = (value: unknown): readonly Fields[] =>
  Array.isArray(value) ? (value as readonly unknown[]).map(fieldsOf) : [];

export const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

/** A number; int64 may come as text. */
export const numberOf = (value: unknown): number =>
  typeof value === 'number' || typeof value === 'string' ? Number(value) : 0;

/** A list of keys and values as a record. */
export const recordOf = (pairs: unknown): Readonly<Record<string, string>> =>
  Object.fromEntries(listOf(pairs).map(({ key, value }) => [textOf(key), textOf(value)]));
