import { createHash } from 'node:crypto';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { readJsonIfWhole } from '../../system/files.ts';
import { type Result, success } from '../../diagnostic/diagnostic.ts';
import { readBegunRun } from '../../record/read-runs.ts';
import {
  fileNames,
  type EnvironmentFile,
  type EvaluationFile,
  parseEnvironment,
  parseEvaluation,
} from '../../record/run-files.ts';
import type { RecordedRun } from '../../record/run-state.ts';
import { fileStart, readPage } from './metric-file.ts';

/** A file of a run's directory. */
export interface RecordFile {
  /** Relative, with `/`. */
  readonly path: string;
  readonly size: number;
  readonly changedMs: number;
}

/** A recorded run with what else of its directory MLflow receives. */
export interface TrackedRun extends RecordedRun {
  readonly environment: EnvironmentFile | undefined;
  readonly evaluation: EvaluationFile | undefined;
  /**
   * Identifies this recording among all recordings of the same run: a digest of the run's id and the time at which its
   * first attempt began (in older records, of its first metric line). Undefined until there is a metric line, or an end
   * without any.
   */
  readonly recording: string | undefined;
  /** Time of the last metric, or of the beginning. */
  readonly lastTime: number;
}

/** How far a run is. `running` means that its process is alive; `lost` that it exited without recording an end. */
export type Lifecycle = 'waiting' | 'running' | 'lost' | 'ended';

export const lifecycleOf = ({ status, state }: Pick<RecordedRun, 'status' | 'state'>): Lifecycle => {
  if (!status) return 'waiting';
  if (status.state === 'ended') return 'ended';
  return state === 'running' ? 'running' : 'lost';
};

/** Whether nothing will be added to the record unless the user runs it again. */
export const isOver = (record: RecordedRun): boolean =>
  lifecycleOf(record) === 'ended' || lifecycleOf(record) === 'lost';

const digestOf = (...parts: readonly unknown[]): string =>
  createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 32);

/** Reads what MLflow receives of the run in a directory; undefined if none has begun there. */
export const readTrackedRun = (directory: string): Result<TrackedRun | undefined> => {
  const read = readBegunRun(directory);
  if (!read.ok) return read;
  const recorded = read.value;
  return success(
    recorded && {
      ...recorded,
      environment: readJsonIfWhole(join(directory, fileNames.environment), parseEnvironment),
      evaluation: readJsonIfWhole(join(directory, fileNames.evaluation), parseEvaluation),
      recording: recordingOf(recorded),
      lastTime: Math.max(recorded.status?.startedAt ?? 0, changedAt(join(directory, fileNames.metrics))),
    },
  );
};

const recordingOf = (recorded: RecordedRun): string | undefined => {
  const { directory, run, status } = recorded;
  const first = readPage(join(directory, fileNames.metrics), fileStart, 1);
  const line = first === 'rewritten' ? undefined : first.points[0];
  if (line === undefined && !isOver(recorded)) return undefined;
  return status?.firstStartedAt === undefined && line !== undefined
    ? digestOf(run.id, line.timestamp, line.step, line.key, line.value)
    : digestOf(run.id, status?.firstStartedAt ?? status?.startedAt);
};

const changedAt = (path: string): number => {
  try {
    return Math.trunc(statSync(path).mtimeMs);
  } catch {
    return 0;
  }
};

/** All files below a folder, sorted, without the outbox and what is being written. */
export const listFiles = (directory: string): readonly RecordFile[] => {
  const found: RecordFile[] = [];
  const walk = (folder: string) => {
    for (const entry of readdirSync(join(directory, folder), { withFileTypes: true })) {
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
      if (path === fileNames.mlflow || entry.name.endsWith('.tmp') || entry.name.startsWith('.')) continue;
      if (entry.isDirectory()) walk(path);
      else if (entry.isFile()) {
        const { size, mtimeMs } = statSync(join(directory, path));
        found.push({ path, size, changedMs: Math.trunc(mtimeMs) });
      }
    }
  };
  try {
    walk('');
  } catch {
    // A folder that vanishes while it is read is read again next time.
  }
  return found.sort((a, b) => (a.path < b.path ? -1 : 1));
};
