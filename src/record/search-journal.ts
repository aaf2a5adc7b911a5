import {
  closeSync,
  existsSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
} from 'node:fs';
import { dirname } from 'node:path';
import type { Plan, Run } from '../plan/plan.ts';
import { readJson, writeFully } from '../system/files.ts';
import { decodeValue, encodeValue } from './metrics-journal.ts';
import type { MetricLine } from './run-files.ts';

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
  | { readonly decision: number; readonly result: MetricLine['metrics'][string] };

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
  result: encodeValue(result),
});

export const resultOf = (line: Extract<SearchLine, { result: unknown }>): number => decodeValue(line.result);

/** The whole lines of a journal, and how many bytes they are. */
const readLines = (path: string): { readonly lines: SearchLine[]; readonly bytes: number } => {
  const lines: SearchLine[] = [];
  let bytes = 0;
  if (!existsSync(path)) return { lines, bytes };
  for (const text of readFileSync(path, 'utf8').split('\n').slice(0, -1)) {
    try {
      lines.push(JSON.parse(text) as SearchLine);
    } catch {
      break;
    }
    bytes += Buffer.byteLength(text) + 1;
  }
  return { lines, bytes };
};

/** Opens the journal for its one writer; cuts off a torn last line. `afresh` forgets what is in it. */
export const openSearchJournal = (path: string, { afresh }: { readonly afresh: boolean }): SearchJournal => {
  mkdirSync(dirname(path), { recursive: true });
  if (afresh) rmSync(path, { force: true });
  const { lines, bytes } = readLines(path);
  const file = openSync(path, 'a');
  ftruncateSync(file, bytes);
  return {
    lines,
    append: (line) => {
      writeFully(file, Buffer.from(`${JSON.stringify(line)}\n`));
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

/** A frozen plan with all that its search has proposed; nothing where the file is missing or damaged. */
export const readPlan = (path: string): Plan | undefined => {
  const plan = readJson<Plan>(path);
  return plan && grownPlan(plan, path);
};

/** A plan with what the journal beside `path` has proposed for it. */
export const grownPlan = (plan: Plan, path: string): Plan => {
  if (!plan.search?.sampler) return plan;
  const { lines } = readLines(searchJournalPath(path));
  return withRuns(
    plan,
    lines.flatMap((line) => ('runs' in line && line.runs) || []),
  );
};
