import { openRegular } from '../system/files.ts';
import { constants, closeSync, existsSync, fsyncSync, mkdirSync, openSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Diagnostic } from '../diagnostic/diagnostic.ts';
import type { Plan, Run } from '../plan/plan.ts';
import { decodeNumber, encodeNumber, isJsonNumber, type JsonNumber } from '../system/json.ts';
import { appendLine, cutAfter, linesFrom, lineText, parseJson, type FileLine } from '../system/jsonl.ts';
import { shellWord } from '../system/proposed-command.ts';
import { onFile } from '../system/system-error.ts';
import { damaged, isObject, isRun, RecordUnreadable } from './parse-run-files.ts';

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

interface JournalContent {
  /** The lines up to the first damaged one. */
  readonly lines: readonly SearchLine[];
  /** The last of them in the file. */
  readonly last: FileLine | undefined;
  readonly damage: Diagnostic | undefined;
}

/** Reads a journal. An incomplete last line is left out: its decision never took effect. */
const readJournal = (path: string): JournalContent => {
  const lines: SearchLine[] = [];
  let decisions = 0;
  let last: FileLine | undefined;
  if (!existsSync(path)) return { lines, last, damage: undefined };
  const file = openRegular(path);
  try {
    for (const fileLine of onFile(path, () => [...linesFrom(file)])) {
      const line = parseSearchLine(lineText(fileLine), decisions);
      if (!line) return { lines, last, damage: damagedLine(path, lines.length) };
      if (!('result' in line)) decisions++;
      lines.push(line);
      last = fileLine;
    }
  } finally {
    closeSync(file);
  }
  return { lines, last, damage: undefined };
};

/** A line after so many decisions; undefined if it is damaged, or if one before it is missing. */
const parseSearchLine = (text: string, decisions: number): SearchLine | undefined => {
  const value = parseJson(text);
  if (!isObject(value) || !isIndex(value['decision'])) return undefined;
  const { decision, kind, point, level, runs, coordinates, result } = value;
  const fits =
    'result' in value
      ? decision < decisions && isJsonNumber(result)
      : decision === decisions &&
        (kind === 'train' || kind === 'prune') &&
        isIndex(point) &&
        isIndex(level) &&
        (runs === undefined || (Array.isArray(runs) && runs.every(isRun))) &&
        (coordinates === undefined || Array.isArray(coordinates));
  return fits ? (value as SearchLine) : undefined;
};

const isIndex = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0;

const damagedLine = (path: string, before: number): Diagnostic => {
  const [from, to] = [path, `${path}.kept`].map(shellWord);
  return damaged(
    path,
    `has a damaged line ${before + 1}, so the decisions from there on cannot be used`,
    'Put the file back from a backup. Or keep what precedes the damage, and let the search decide again from there: ' +
      `head -n ${before} ${from} > ${to} && mv ${to} ${from}. Runs that it chooses again are not trained again.`,
  );
};

/** Why the search of a plan cannot be resumed: its journal is damaged. */
export const journalDamage = (plan: Plan, planPath: string): Diagnostic | undefined =>
  plan.search ? readJournal(searchJournalPath(planPath)).damage : undefined;

/** Cuts a damaged journal before its first damaged line; the search decides again from there. */
export const cutDamage = (path: string): void => {
  const { last } = readJournal(path);
  const file = openRegular(path, constants.O_RDWR);
  try {
    cutAfter(file, last);
  } finally {
    closeSync(file);
  }
};

/**
 * Opens the journal for its one writer; cuts off a torn last line. `afresh` forgets what is in it. Throws
 * `RecordUnreadable` if it is damaged.
 */
export const openSearchJournal = (path: string, { afresh }: { readonly afresh: boolean }): SearchJournal => {
  mkdirSync(dirname(path), { recursive: true });
  if (afresh) rmSync(path, { force: true });
  const { lines, last, damage } = readJournal(path);
  if (damage) throw new RecordUnreadable(damage);
  const file = openSync(path, 'a');
  cutAfter(file, last);
  return {
    lines,
    append: (line) => {
      onFile(path, () => {
        appendLine(file, line);
        fsyncSync(file);
      });
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
  const { lines } = readJournal(searchJournalPath(path));
  return withRuns(
    plan,
    lines.flatMap((line) => ('runs' in line && line.runs) || []),
  );
};
