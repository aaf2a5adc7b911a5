import type { DiagnosticCode } from './codes.ts';

/** Source text: a file, or the command line joined by spaces. `name` is what messages call it. */
export interface SourceText {
  readonly name: string;
  readonly text: string;
}

/** A half-open range of UTF-16 offsets `[start, end)` in a source text. */
export interface SourceRange {
  readonly source: SourceText;
  readonly start: number;
  readonly end: number;
}

/** A second place that explains a diagnostic, such as where a name was first defined. */
export interface RelatedPlace {
  readonly message: string;
  readonly at: SourceRange;
}

/**
 * One mistake (or notice), for the user. Expected mistakes are values of this type; throwing is for bugs.
 * `message` is one sentence without the position. `expected`, `got` and `nearest` are short phrases;
 * `help` is how to fix it.
 */
export interface Diagnostic {
  readonly code: DiagnosticCode;
  readonly severity: 'error' | 'warning' | 'notice';
  readonly message: string;
  readonly at?: SourceRange;
  readonly expected?: string;
  readonly got?: string;
  readonly nearest?: string;
  readonly help?: string;
  /** How many more of its kind were found and are not listed. */
  readonly more?: number;
  readonly related?: readonly RelatedPlace[];
}

/** Keys of mappings and indices of lists, from the root of a value. */
export type Path = readonly (string | number)[];

/** A diagnostic about a value, before the place is known where it is written; `place` adds the place. */
export interface Issue extends Omit<Diagnostic, 'severity' | 'at' | 'related'> {
  /** From the value that was checked. */
  readonly path: Path;
  /** Other settings of the same value that contribute to the error. */
  readonly with?: readonly Path[];
  /** Whether to show the key rather than the value. */
  readonly onKey?: boolean;
  /** For an unknown or missing key: the key. */
  readonly key?: string;
  /** For a value that YAML does not read as a string: the string in `help`, and the pattern that one must match. */
  readonly inQuotes?: { readonly value: string; readonly pattern: string | undefined };
}

export interface Success<T> {
  readonly ok: true;
  readonly value: T;
  readonly notices: readonly Diagnostic[];
}

export interface Failure<E = readonly Diagnostic[]> {
  readonly ok: false;
  readonly errors: E;
}

/** The outcome of a stage: a value (perhaps with warnings and notices), or every error that was found. */
export type Result<T, E = readonly Diagnostic[]> = Success<T> | Failure<E>;

export const success = <T>(value: T, notices: readonly Diagnostic[] = []): Success<T> => ({
  ok: true,
  value,
  notices,
});

export const failed = <E>(errors: E): Failure<E> => ({ ok: false, errors });

export const failure = <T = never>(...errors: readonly Diagnostic[]): Result<T> => failed(errors);

/** A problem that a command cannot do without. */
export const asError = (problem: Diagnostic): Diagnostic => ({ ...problem, severity: 'error' });

/** For the `default` of an exhaustive switch: does not compile while a case is missing. */
export const unreachable = (value: never): never => {
  throw new Error(`Unreachable case: ${JSON.stringify(value)}. This is a bug in Unroll.`);
};
