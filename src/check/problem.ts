import type { Run } from '../plan/plan.ts';

/** Something below a runs directory that is not as Unroll left it. */
export interface Problem {
  /** The file or folder. */
  readonly path: string;
  /** One sentence that begins with the path. */
  readonly message: string;
  /** A leftover takes space and does no harm. */
  readonly kind: 'damage' | 'leftover';
  /** What `--repair` does about it; undefined if only the user can repair it. */
  readonly repair: Repair | undefined;
  /** What the user does: after the repair if there is one, otherwise instead of it. A command, or a sentence. */
  readonly next: string | undefined;
}

export type Repair =
  /** Deletes what an interrupted process left. */
  | { readonly kind: 'delete'; readonly path: string }
  /** Writes the run's `run.json` again, as the plan of its sweep has it. */
  | { readonly kind: 'restore'; readonly directory: string; readonly run: Run }
  /** Marks the run as interrupted, so that it is trained again. */
  | { readonly kind: 'reopen'; readonly directory: string }
  /** Renames the file, so that a new one is written in its place. */
  | { readonly kind: 'set-aside'; readonly path: string }
  /** Cuts a search's journal before its first damaged line. */
  | { readonly kind: 'cut'; readonly path: string };

/** What helps against a problem. */
export type Remedy = Partial<Pick<Problem, 'repair' | 'next'>>;

/** Damage whose message another room has written. */
export const reported = (path: string, message: string, { repair, next }: Remedy = {}): Problem => ({
  path,
  message,
  kind: 'damage',
  repair,
  next,
});

/** `what` is the end of a sentence that begins with the path. */
export const damage = (path: string, what: string, remedy?: Remedy): Problem =>
  reported(path, `${path} ${what}.`, remedy);

export const leftover = (path: string, what: string): Problem => ({
  path,
  message: `${path} ${what}.`,
  kind: 'leftover',
  repair: { kind: 'delete', path },
  next: undefined,
});
