import type { Static, TObject } from '@sinclair/typebox';

/** A mistake in one section's parameters that a schema cannot express. `path` is relative to the section: `dropout`. */
export interface ParameterIssue {
  readonly path: string;
  readonly message: string;
  readonly expected?: string;
  readonly help?: string;
}

/**
 * A row of a registry: everything Unroll knows about a name before any work is done. The row must be cheap to import,
 * because the command line loads every row to check a spec: what needs TensorFlow or reads data is imported lazily by
 * the row's builder.
 */
export interface Row<P extends TObject = TObject> {
  /** One line, for tables. */
  readonly title: string;
  /** A few sentences, with the source (paper or reference) where there is one. */
  readonly description: string;
  /** Raised whenever the same parameters would give other numbers; part of a run's id. */
  readonly version: number;
  /** Schema of the parameters: every property has a title or description, bounds, and a default unless it is required. */
  readonly parameters: P;
  /** Combinations that make no sense although each value is allowed. */
  readonly check?: (parameters: Static<P>) => readonly ParameterIssue[];
}
