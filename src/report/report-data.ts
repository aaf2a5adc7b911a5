import type { Json } from '../system/json.ts';
import type { EvaluationFile } from '../record/run-files.ts';
import type { Comparison } from './compare.ts';
import type { Importance } from './importance.ts';

/** The histories of one metric on a common grid of steps, so that they can be averaged over seeds. */
export interface CurveTable {
  readonly steps: readonly number[];
  /** By run id; null if the run has no finite value. */
  readonly values: Readonly<Record<string, readonly (number | null)[]>>;
}

/** What the page shows of one run, beside the comparison. */
export interface ReportRun {
  /** Flat configuration. */
  readonly config: Readonly<Record<string, Json>>;
  readonly startedAt: number | null;
  readonly attempt: number;
  /** Label and text, for people. */
  readonly environment: readonly (readonly [label: string, text: string])[];
  /** What the data is, for people; empty in runs of earlier versions. */
  readonly data: readonly (readonly [label: string, text: string])[];
  readonly metrics: Readonly<Record<string, number | string>>;
  /** Shows the run in a terminal. */
  readonly command: string;
}

/** Everything in a report's page: the page has nothing else and asks no server. */
export interface ReportData {
  /** Milliseconds since 1970. */
  readonly generatedAt: number;
  readonly comparison: Comparison;
  /** Short names of the axes. */
  readonly names: Readonly<Record<string, string>>;
  readonly curves: Readonly<Record<string, CurveTable>>;
  readonly importances: readonly Importance[];
  readonly runs: Readonly<Record<string, ReportRun>>;
  readonly evaluations: Readonly<Record<string, EvaluationFile>>;
  /** The folder in whose parent the runs' commands work; null: they work where the report was written. */
  readonly besideFolder: string | null;
  /** Of the compared sweeps, each once. */
  readonly specs: readonly { readonly path: string; readonly text: string }[];
  /** Seconds after which the page loads itself again; null for a page that stays. */
  readonly reloadSeconds: number | null;
}
