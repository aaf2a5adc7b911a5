import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Plan, Run } from '../plan/plan.ts';
import { decodeNumber, encodeNumber, type JsonNumber } from '../system/json.ts';
import { appendLine, cutAfter, linesFrom, lineText, parseJson, type FileLine } from '../system/jsonl.ts';

/**
 * The decisions of a sweep that decides by results, `runs/<experiment>/sweeps/<sweep id>.decisions.jsonl`: a line for each
 * decision before it is acted on, a line for its result. It only grows. A resumed sweep takes decisions from here and
 * takes none a second time.
 */
export type SearchLine =
  | {
      readonly decision: number;
      readonly kind: 'train' | 'prune';
      readonly point: number;
      readonly level: number;
      /** Of a point that the sampler proposed: its runs, and where it lies in the space. */
      readonly runs?: readonly Run[];
      readonly coordinates?: readonly (number | null)[];
    }
  | { readonly decision: number; readonly result: JsonNumber };

export interface SearchJournal {
  /** What is recorded, in order. */
  readonly lines: readonly SearchLine[];
  /** Returns once the disk has the line. */
  readonly append: (line: SearchLine) => void;
  readonly close: () => void;
}

export const searchJournalPath = (planPath: string): string =>
  planPath.replace(/\.json$/, '.decisions.jsonl');

export const resultLine = (decision: number, result: number): SearchLine => ({
  decision,
  result: encodeNumber(result),
});

export const resultOf = (line: Extract<SearchLine, { result: unknown }>): number => decodeNumber(line.result);

/** The lines up to the first that cannot be read, and the last of them. */
const readLines = (file: number): { readonly lines: SearchLine[]; readonly last: FileLine | undefined } => {
  const lines: SearchLine[] = [];
  let last: FileLine | undefined;
  for (const line of linesFrom(file)) {
    const value = parseJson(lineText(line));
    if (value === undefined) break;
    lines.push(value as SearchLine);
    last = line;
  }
  return { lines, last };
};

/** Opens the journal for its one writer; cuts off a torn last line. `afresh` forgets what is in it. */
export const openSearchJournal = (path: string, { afresh }: { readonly afresh: boolean }): SearchJournal => {
  mkdirSync(dirname(path), { recursive: true });
  if (afresh) rmSync(path, { force: true });
  const file = openSync(path, 'a+');
  const { lines, last } = readLines(file);
  cutAfter(file, last);
  return {
    lines,
    append: (line) => {
      appendLine(file, line);
      fsyncSync(file);
    },
    close: () => closeSync(file),
  };
};

/** A plan with the runs of further points after its own. */
export const withRuns = (plan: Plan, more: readonly Run[]): Plan => {
  const known = new Set(plan.runs.map(({ id }) => id));
  const added = more.filter(({ id }) => !known.has(id));
  return added.length === 0 ? plan : { ...plan, runs: [...plan.runs, ...added] };
};

/** A plan with what the journal beside `path` has proposed for it. */
export const grownPlan = (plan: Plan, path: string): Plan => {
  if (!plan.search?.sampler) return plan;
  const journal = searchJournalPath(path);
  if (!existsSync(journal)) return plan;
  const file = openSync(journal, 'r');
  try {
    const { lines } = readLines(file);
    return withRuns(
      plan,
      lines.flatMap((line) => ('runs' in line && line.runs) || []),
    );
  } finally {
    closeSync(file);
  }
};
