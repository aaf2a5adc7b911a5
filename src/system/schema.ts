import {
  Kind,
  Type,
  TypeRegistry,
  type Static,
  type TObject,
  type TProperties,
  type TSchema,
  type TUnsafe,
} from '@sinclair/typebox';
import { TypeCompiler, type TypeCheck } from '@sinclair/typebox/compiler';
import { Errors } from '@sinclair/typebox/errors';
import { Check } from '@sinclair/typebox/value';
import type { Json } from './json.ts';

type DeepReadonly<T> = [Json] extends [T]
  ? T
  : T extends object
    ? { readonly [K in keyof T]: DeepReadonly<T[K]> }
    : T;

/** The values that a schema describes, deeply readonly. */
export type Described<Schema extends TSchema> = DeepReadonly<Static<Schema>>;

/** Any JSON value. What it holds is not checked. */
export const anyJson = Type.Unsafe<Json>(Type.Unknown());

/** A number that may be NaN or infinite, as it is passed between processes; `Type.Number` is finite. */
export const anyNumber = Type.Unsafe<number>({ [Kind]: 'AnyNumber' });
TypeRegistry.Set('AnyNumber', (_, value) => typeof value === 'number');

/** A number as `encodeNumber` writes it: JSON has no NaN and no infinities. */
export const jsonNumber = Type.Union([
  Type.Number(),
  Type.Literal('NaN'),
  Type.Literal('Infinity'),
  Type.Literal('-Infinity'),
]);

/** An object as a schema describes it, which may have other keys too. */
export const anyKeys = <P extends TProperties>(schema: TObject<P>): TObject<P> =>
  Type.Object(schema.properties);

/** One of some strings. */
export const oneOf = <const T extends readonly string[]>(values: T): TUnsafe<T[number]> =>
  Type.Unsafe<T[number]>(Type.Union(values.map((value) => Type.Literal(value))));

/** Returns a value as what it was found to be; undefined if it is something else. */
export type Parse<T> = (value: unknown) => T | undefined;

export interface Parser<T> extends Parse<T> {
  readonly fits: (value: unknown) => value is T;
  /** The keys from the root to the first part that does not fit; undefined if all do. */
  readonly firstWrong: (value: unknown) => readonly string[] | undefined;
}

/** Compiling a schema takes as long as some thousand checks of a small value without. */
const checksBeforeCompiling = 500;

/**
 * A parser of a schema, compiled once it is used often. Keys that the schema does not name are allowed, as later versions
 * may write them.
 */
export const parserOf = <Schema extends TSchema>(schema: Schema): Parser<Described<Schema>> => {
  let compiled: TypeCheck<Schema> | undefined;
  let checks = 0;
  const fits = (value: unknown): value is Described<Schema> => {
    if (checks++ < checksBeforeCompiling) return Check(schema, value);
    compiled ??= TypeCompiler.Compile(schema);
    return compiled.Check(value);
  };
  const firstWrong = (value: unknown) =>
    fits(value) ? undefined : (Errors(schema, value).First()?.path ?? '').split('/').slice(1);
  return Object.assign((value: unknown) => (fits(value) ? value : undefined), { fits, firstWrong });
};
