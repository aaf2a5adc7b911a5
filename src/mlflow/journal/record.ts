import { createHash } from 'node:crypto';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { readJsonIfWhole } from '../../system/files.ts';
import { isAlive } from '../../system/process-identity.ts';
import { readStatus } from '../../record/read-runs.ts';
import {
  fileNames,
  type EnvironmentFile,
  type EvaluationFile,
  type RunFile,
  type StatusFile,
} from '../../record/run-files.ts';
import { fileStart, readPage } from './metric-file.ts';

/** A file of a run's directory. */
export interface RecordFile {
  /** Relative, with `/`. */
  readonly path: string;
  readonly size: number;
  readonly changedMs: number;
}

/** What a run's directory says, as far as MLflow is concerned. */
export interface RunRecord {
  readonly directory: string;
  readonly run: RunFile;
  readonly status: StatusFile | undefined;
  readonly environment: EnvironmentFile | undefined;
  readonly evaluation: EvaluationFile | undefined;
  /**
   * `waiting`: nothing has begun. `running`: its process lives. `lost`: it says it is running, but its process is gone.
   */
  readonly state: 'waiting' | 'running' | 'lost' | 'ended';
  /**
   * Tells this recording from every other one of the same run, for as long as the record lives: a digest of the run's
   * id and the time at which its first attempt began (in older records, of its first metric line). Undefined until there
   * is a metric line, or an end without any.
   */
  readonly recording: string | undefined;
  /** Time of the last metric, or of the beginning. */
  readonly lastTime: number;
}

const digestOf = (...parts: readonly unknown[]): string =>
  createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 32);

/** Reads a run's directory; nothing when it holds no run. Damaged files count as missing. */
export const readRecord = (directory: string): RunRecord | undefined => {
  const run = readJsonIfWhole<RunFile>(join(directory, fileNames.run));
  if (typeof run?.id !== 'string' || typeof run.config !== 'object') return undefined;
  const status = readStatus(directory);
  const state =
    status === undefined
      ? 'waiting'
      : status.state === 'ended'
        ? 'ended'
        : status.holder && isAlive(status.holder)
          ? 'running'
          : 'lost';
  const metricsPath = join(directory, fileNames.metrics);
  const first = readPage(metricsPath, fileStart, 1);
  const line = first === 'rewritten' ? undefined : first.points[0];
  const recording =
    line === undefined && !(status && (state === 'ended' || state === 'lost'))
      ? undefined
      : status?.firstStartedAt === undefined && line !== undefined
        ? digestOf(run.id, line.timestamp, line.step, line.key, line.value)
        : digestOf(run.id, status?.firstStartedAt ?? status?.startedAt);
  return {
    directory,
    run,
    status,
    environment: readJsonIfWhole<EnvironmentFile>(join(directory, fileNames.environment)),
    evaluation: readJsonIfWhole<EvaluationFile>(join(directory, fileNames.evaluation)),
    state,
    recording,
    lastTime: Math.max(status?.startedAt ?? 0, changedAt(metricsPath)),
  };
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
    // A folder that vanishes while it is read is looked at again next time.
  }
  return found.sort((a, b) => (a.path < b.path ? -1 : 1));
};
