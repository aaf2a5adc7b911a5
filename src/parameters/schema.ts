import { Type, type SchemaOptions, type Static, type TSchema, type TUnsafe } from '@sinclair/typebox';

/**
 * One text out of a list. A plain `enum` rather than a union of literals: a union's errors name every branch, an
 * enum's error is one.
 */
export const choice = <const T extends readonly string[]>(
  values: T,
  options: SchemaOptions & { readonly default?: T[number] } = {},
): TUnsafe<T[number]> => Type.Unsafe<T[number]>({ type: 'string', enum: values, ...options });

/** The schema, or `null` for "not used" (the default unless the schema has one): `type: [<type>, "null"]`. */
export const nullable = <S extends TSchema & { type: string }>(schema: S): TUnsafe<Static<S> | null> => {
  const { type, ...rest } = schema;
  return Type.Unsafe<Static<S> | null>({ default: null, ...rest, type: [type, 'null'] });
};
