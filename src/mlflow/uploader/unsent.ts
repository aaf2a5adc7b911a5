import { join } from 'node:path';
import { proposedCommand } from '../../system/proposed-command.ts';
import type { Plan } from '../../plan/plan.ts';
import { fileNames } from '../../record/run-files.ts';
import { countPoints, fileStart } from '../journal/metric-file.ts';
import type { TrackedRun } from '../journal/record.ts';
import { progressOf, readCursor } from '../sync/cursor.ts';
import type { Unsent } from './protocol.ts';

/** Counts what a server does not have of the given runs; nothing when it has all. */
export const countUnsent = (
  incomplete: readonly TrackedRun[],
  uri: string,
  {
    plan,
    runsDirectory,
    options,
  }: {
    readonly plan: Plan;
    readonly runsDirectory: string;
    /** Options of `unroll sync` that lead to the server. */
    readonly options: readonly string[];
  },
): Unsent | null => {
  if (incomplete.length === 0) return null;
  const points = incomplete.reduce((sum, { directory }) => {
    const cursor = readCursor(directory, uri);
    const left = [fileNames.metrics, fileNames.system].map((file) =>
      countPoints(join(directory, file), cursor ? progressOf(cursor, file).done : fileStart),
    );
    return sum + left.reduce((a, b) => a + b, 0);
  }, 0);
  return {
    runs: incomplete.length,
    points,
    command: proposedCommand(['sync', plan.experiment, ...options], runsDirectory),
  };
};
