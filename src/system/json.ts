/** Any JSON value, deeply readonly. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** Whether a value is `.inf`, `-.inf` or `.nan`. YAML has these numbers, and reads 1e999 as one; no setting accepts them. */
export const isNonFinite = (value: unknown): value is number =>
  typeof value === 'number' && !Number.isFinite(value);
