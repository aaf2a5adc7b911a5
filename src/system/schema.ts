import type { Static, TSchema } from '@sinclair/typebox';
import { TypeCompiler, type TypeCheck } from '@sinclair/typebox/compiler';

type DeepReadonly<T> = T extends object ? { readonly [K in keyof T]: DeepReadonly<T[K]> } : T;

/** The values that a schema describes, deeply readonly. */
export type Described<Schema extends TSchema> = DeepReadonly<Static<Schema>>;

/** Returns a value as what it was found to be; undefined if it is something else. */
export type Parse<T> = (value: unknown) => T | undefined;

export interface Parser<T> extends Parse<T> {
  readonly fits: (value: unknown) => value is T;
  /** The keys from the root to the first part that does not fit; undefined if all do. */
  readonly firstWrong: (value: unknown) => readonly string[] | undefined;
}

/** A parser of a schema, compiled at its first use. Keys that the schema does not name are allowed, as later versions may write them. */
export const parserOf = <Schema extends TSchema>(schema: Schema): Parser<Described<Schema>> => {
  let compiled: TypeCheck<Schema> | undefined;
  const check = () => (compiled ??= TypeCompiler.Compile(schema));
  const fits = (value: unknown): value is Described<Schema> => check().Check(value);
  const firstWrong = (value: unknown) =>
    fits(value) ? undefined : (check().Errors(value).First()?.path ?? '').split('/').slice(1);
  return Object.assign((value: unknown) => (fits(value) ? value : undefined), { fits, firstWrong });
};
