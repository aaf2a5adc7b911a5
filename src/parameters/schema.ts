import {
  Kind,
  Type,
  TypeRegistry,
  type SchemaOptions,
  type Static,
  type TOptional,
  type TSchema,
  type TUnsafe,
} from '@sinclair/typebox';
import { Check } from '@sinclair/typebox/value';

/**
 * One string out of a list. A plain `enum` rather than a union of literals: a union's errors name every branch, an
 * enum's error is one.
 */
export const choice = <const T extends readonly string[]>(
  values: T,
  options: SchemaOptions & { readonly default?: T[number] } = {},
): TUnsafe<T[number]> =>
  Type.Unsafe<T[number]>({ type: 'string', enum: values, ...options, [Kind]: 'Choice' });

// TypeBox checks recorded values against the same schemas, and knows neither `enum` nor a list of types.
TypeRegistry.Set<{ readonly enum: readonly unknown[] }>('Choice', (schema, value) =>
  schema.enum.includes(value),
);

const notNull = Symbol('not null');

/** The schema, or `null` for "not used" (the default unless the schema has one): `type: [<type>, "null"]`. */
export const nullable = <S extends TSchema & { type: string }>(schema: S): TUnsafe<Static<S> | null> => {
  const { type, ...rest } = schema;
  return Type.Unsafe<Static<S> | null>({
    default: null,
    ...rest,
    type: [type, 'null'],
    [Kind]: 'Nullable',
    [notNull]: schema,
  });
};

TypeRegistry.Set<{ readonly [notNull]: TSchema }>(
  'Nullable',
  (schema, value) => value === null || Check(schema[notNull], value),
);

/**
 * A parameter that an entry got after its first release. Its default is left out of a run's configuration, so that runs
 * recorded before keep their ids and settings: a reader takes an absent value as the default.
 */
export const addedLater = <S extends TSchema>(schema: S): TOptional<TUnsafe<Static<S>>> =>
  Type.Optional(Type.Unsafe<Static<S>>({ ...schema, addedLater: true }));

/** A schema with other words or another default. */
export const withOptions = <S extends TSchema>(schema: S, options: SchemaOptions): S => ({
  ...schema,
  ...options,
});
