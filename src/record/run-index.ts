import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { writeWhole, readRegularText } from '../system/files.ts';
import { decodeNumbers, numbersOut } from '../system/json.ts';
import type { RecordedRun } from './run-state.ts';

/** What the index keeps of a run: the content of its two files. */
export type IndexedRun = Pick<RecordedRun, 'run' | 'status'>;

/**
 * A copy of `run.json` and `status.json` of every run of an experiment, so that thousands of runs are listed
 * without opening thousands of files. It is never the truth: an entry counts only while the stamps of its run's files are
 * the same, a file that is not as it was written counts for nothing, and it may be deleted at any time.
 */
export interface RunIndex {
  readonly get: (id: string, stamp: string) => IndexedRun | undefined;
  readonly set: (id: string, stamp: string, record: IndexedRun) => void;
  /** Writes the index when it has changed by enough to be worth it. Failing to is of no consequence. */
  readonly save: () => void;
}

interface Entry {
  readonly stamp: string;
  /** JSON of a record, parsed on demand. */
  readonly text: string;
}

/** Below this many new entries, reading their files again is cheaper than writing the index. */
const worthSaving = 64;

export const indexName = '.index';

const sealOf = (body: string): string => createHash('sha256').update(body).digest('hex');

/** The first line is the seal of the rest, then a line each run: id, stamp and record, with tabs between. */
const readEntries = (path: string): Map<string, Entry> => {
  const entries = new Map<string, Entry>();
  let content: string;
  try {
    content = readRegularText(path);
  } catch {
    return entries;
  }
  const end = content.indexOf('\n');
  const body = content.slice(end + 1);
  if (content.slice(0, Math.max(0, end)) !== sealOf(body)) return entries;
  for (const line of body.split('\n')) {
    const [id, stamp, text] = line.split('\t');
    if (id && stamp && text) entries.set(id, { stamp, text });
  }
  return entries;
};

/** Opens the index of an experiment's directory; an empty one where there is none that can be trusted. */
export const openRunIndex = (experimentDirectory: string): RunIndex => {
  const path = join(experimentDirectory, indexName);
  const known = readEntries(path);
  /** What was asked for: entries of runs that are gone are forgotten with the next writing. */
  const met = new Map<string, Entry>();
  let changes = 0;

  return {
    get: (id, stamp) => {
      const entry = known.get(id);
      if (entry?.stamp !== stamp) return undefined;
      met.set(id, entry);
      return withNumbers(JSON.parse(entry.text) as IndexedRun);
    },
    set: (id, stamp, record) => {
      met.set(id, { stamp, text: JSON.stringify(record, numbersOut) });
      changes++;
    },
    save: () => {
      if (changes < worthSaving) return;
      const body = [...met].map(([id, { stamp, text }]) => `${id}\t${stamp}\t${text}\n`).join('');
      try {
        writeWhole(path, `${sealOf(body)}\n${body}`);
      } catch {
        // A directory that may only be read has no index.
      }
    },
  };
};

const withNumbers = (record: IndexedRun): IndexedRun => {
  const { status } = record;
  if (!status?.outcome) return record;
  const metrics = decodeNumbers(status.outcome.metrics);
  return { run: record.run, status: { ...status, outcome: { ...status.outcome, metrics } } };
};
