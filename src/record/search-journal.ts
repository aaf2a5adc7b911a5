import { Type } from '@sinclair/typebox';
import { openRegular, openToAppend, ensureFolder } from '../system/files.ts';
import { constants, closeSync, existsSync, fsyncSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Diagnostic } from '../diagnostic/diagnostic.ts';
import { runSchema, type Plan, type Run } from '../plan/plan.ts';
import { decodeNumber, encodeNumber, parseJson } from '../system/json.ts';
import { appendLine, cutAfter, linesFrom, lineText, type FileLine } from '../system/jsonl.ts';
import { jsonNumber, oneOf, parserOf, type Described } from '../system/schema.ts';
import { shellWord } from '../system/proposed-command.ts';
import { onFile } from '../system/system-error.ts';
import type { RunEvent } from './events.ts';
import { damaged } from './parse-run-files.ts';
import { RecordUnreadable } from './record-unreadable.ts';

const index = Type.Integer({ minimum: 0 });

/**
 * The decisions of a sweep that decides by results, `runs/<experiment>/sweeps/<sweep id>.decisions.jsonl`: a line for each
 * decision before it is acted on, a line for its result. It only grows. A resumed sweep takes decisions from here and
 * takes none a second time.
 */
const searchLineSchema = Type.Union([
  Type.Object({
    decision: index,
    kind: oneOf(['train', 'prune']),
    point: index,
    level: index,
    /** Of a point that the sampler proposed: its runs, and its place in the space. */
    runs: Type.Optional(Type.Array(runSchema)),
    coordinates: Type.Optional(Type.Array(Type.Union([Type.Number(), Type.Null()]))),
  }),
  Type.Object({ decision: index, result: jsonNumber }),
]);

export type SearchLine = Described<typeof searchLineSchema>;

const searchLine = parserOf(searchLineSchema);

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

/** Parses the line after `decisions` decisions; undefined if it is damaged, or if one before it is missing. */
const parseSearchLine = (text: string, decisions: number): SearchLine | undefined => {
  const line = searchLine(parseJson(text));
  if (!line) return undefined;
  return ('result' in line ? line.decision < decisions : line.decision === decisions) ? line : undefined;
};

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
  ensureFolder(dirname(path));
  if (afresh) rmSync(path, { force: true });
  const { lines, last, damage } = readJournal(path);
  if (damage) throw new RecordUnreadable(damage);
  const file = openToAppend(path);
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
  if (more.length === 0) return plan;
  const known = new Set(plan.runs.map(({ id }) => id));
  const added = more.filter(({ id }) => !known.has(id));
  return added.length === 0 ? plan : { ...plan, runs: [...plan.runs, ...added] };
};

/** The runs that an event adds to the plan that its listener has. */
export const addedBy = (event: RunEvent): readonly Run[] => {
  if (event.type === 'runs-added') return event.runs;
  return (event.type === 'sweep-started' && event.addedBefore) || [];
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
