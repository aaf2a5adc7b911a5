import type { Static, TObject } from '@sinclair/typebox';
import type { Issue } from '../diagnostic/diagnostic.ts';

/** An issue as an entry's own check returns it: of the section's values, with keys and indices joined by dots: `schedule.kind`, `targets.0`. */
export interface ParameterIssue extends Pick<Issue, 'message' | 'expected' | 'help'> {
  readonly path: string;
  /** Set when the value that has to change is in another section than the entry's own. */
  readonly section?: 'train';
  /** Other parameters of the same section that contribute to it: where they are written is shown, too. */
  readonly with?: readonly string[];
  /** What there is instead, where the value at `path` does not show it. */
  readonly got?: string;
}

/** Where a row that does not come with Unroll is defined. */
export interface RowOrigin {
  /** Absolute path of the module. */
  readonly file: string;
  /** Hex SHA-256 of the module and of what it imports; part of a run's id. */
  readonly digest: string;
}

/**
 * A row of a registry: everything Unroll knows about a name before any work is done. The row must be cheap to import,
 * because the command line loads every row to check a spec: what needs TensorFlow or reads data is imported lazily by
 * the row's builder.
 *
 * The functions of a row are written as methods, so that rows of different parameters fit into one table: whoever calls
 * one has looked up the row by `name` and validated the parameters against this row's own schema.
 */
export interface Row<P extends TObject = TObject> {
  /** One line, for tables. */
  readonly title: string;
  /** A few sentences, with the source (paper or reference) where there is one. */
  readonly description: string;
  /** Raised whenever the same parameters would give other numbers; part of a run's id. */
  readonly version: number;
  /** The version for some parameters, where a change gave other numbers to these alone; absent: `version` for all. */
  versionOf?(this: void, parameters: Static<P>): number;
  /** Schema of the parameters: every property has a title or description, bounds, and a default unless it is required. */
  readonly parameters: P;
  /** Absent in the entries that come with Unroll, whose `version` rises when they change. */
  readonly origin?: RowOrigin;
  /** The parameters as a run's configuration has them, where a default depends on other parameters; absent: as they are. */
  configured?(this: void, parameters: Static<P>): Static<P>;
  /** Combinations that make no sense although each value is allowed. */
  check?(this: void, parameters: Static<P>): readonly ParameterIssue[];
}

/** The version of a row for validated parameters of its schema. */
export const versionOf = (row: Row, parameters: Readonly<Record<string, unknown>>): number =>
  row.versionOf?.(parameters) ?? row.version;

/** The defaults of an entry's parameters. */
export const presetsOf = ({ parameters }: Pick<Row, 'parameters'>): Readonly<Record<string, unknown>> =>
  Object.fromEntries(
    Object.entries(parameters.properties).map(([key, { default: preset }]) => [key, preset as unknown]),
  );
