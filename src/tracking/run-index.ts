import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Run } from '../spec/plan.ts';
import { readJson, writeWhole } from './files.ts';
import { decodeNumber } from './parse-run-files.ts';
import type { StatusFile } from './run-files.ts';

/** What the index keeps of a run. */
export interface RunRecord {
  readonly run: Run;
  readonly status: StatusFile | null;
}

/**
 * A copy of what `run.json` and `status.json` say of every run, so that thousands of runs are listed without opening
 * thousands of files. It is never the truth: an entry counts only while the stamp of its run's `status.json` is the
 * same, and the whole file may be deleted at any time.
 */
export interface RunIndex {
  readonly get: (key: string, stamp: string) => RunRecord | undefined;
  readonly set: (key: string, stamp: string, record: RunRecord) => void;
  /** Writes the index when it has changed by enough to be worth it. Failing to is of no consequence. */
  readonly save: () => void;
}

interface IndexFile {
  readonly version: 1;
  readonly runs: Readonly<Record<string, { readonly stamp: string; readonly record: RunRecord }>>;
}

/** Below this many new entries, reading their files again is cheaper than writing the index. */
const worthSaving = 64;

export const openRunIndex = (runsDirectory: string): RunIndex => {
  const path = join(runsDirectory, '.index.json');
  const file = readJson<Partial<IndexFile>>(path);
  const known = new Map(Object.entries((file?.version === 1 && file.runs) || {}));
  let changes = 0;

  return {
    get: (key, stamp) => {
      const entry = known.get(key);
      return entry?.stamp === stamp ? withNumbers(entry.record) : undefined;
    },
    set: (key, stamp, record) => {
      known.set(key, { stamp, record });
      changes++;
    },
    save: () => {
      if (changes < worthSaving) return;
      try {
        // Runs that were deleted since are forgotten.
        const runs = Object.fromEntries([...known].filter(([key]) => existsSync(join(runsDirectory, key))));
        const text = JSON.stringify({ version: 1, runs } satisfies IndexFile, (_key, value: unknown) =>
          typeof value === 'number' && !Number.isFinite(value) ? String(value) : value,
        );
        writeWhole(path, text);
      } catch {
        // A directory that may only be read has no index.
      }
    },
  };
};

const withNumbers = (record: RunRecord): RunRecord => {
  const { status } = record;
  if (!status?.outcome) return record;
  const metrics = Object.fromEntries(
    Object.entries(status.outcome.metrics).map(([key, value]) => [key, decodeNumber(value)]),
  );
  return { run: record.run, status: { ...status, outcome: { ...status.outcome, metrics } } };
};
