import type { DiagnosticCode } from './codes.ts';

/** A text that a person wrote: a file, or the command line joined by spaces. `name` is what messages call it. */
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
 * One mistake (or notice), said to a person. Expected mistakes are values of this type; throwing is for bugs.
 * `message` is one sentence without the position. `expected`, `got` and `nearest` are short phrases;
 * `help` says how to mend it.
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
  readonly related?: readonly RelatedPlace[];
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

export const failure = <T = never>(...errors: readonly Diagnostic[]): Result<T> => ({ ok: false, errors });

/** For the `default` of an exhaustive switch: does not compile while a case is missing. */
export const unreachable = (value: never): never => {
  throw new Error(`Unreachable case: ${JSON.stringify(value)}. This is a bug in Unroll.`);
};
