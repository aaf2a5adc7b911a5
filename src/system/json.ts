/** Any JSON value, deeply readonly. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** Whether a value is `.inf`, `-.inf` or `.nan`. YAML has these numbers, and reads 1e999 as one; no setting accepts them. */
export const isNonFinite = (value: unknown): value is number =>
  typeof value === 'number' && !Number.isFinite(value);

/** The leaves of a JSON value by dotted path: `model.hiddenSize`. A list is one leaf, null too; an empty mapping has none. */
export const leavesOf = (value: Json, path = ''): (readonly [path: string, value: Json])[] =>
  typeof value !== 'object' || value === null || Array.isArray(value)
    ? [[path, value]]
    : Object.entries(value).flatMap(([key, inner]) => leavesOf(inner, path === '' ? key : `${path}.${key}`));
