import { closeSync, existsSync, fstatSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { type Result, success } from '../diagnostic/diagnostic.ts';
import type { Metrics } from '../record/events.ts';
import { readJsonIfWhole, openRegular } from '../system/files.ts';
import { encodeNumber } from '../system/json.ts';
import { valuesAt } from '../record/kept-weights.ts';
import { type MetricSeries, readMetrics } from '../record/read-metrics.ts';
import { readRun } from '../record/read-runs.ts';
import type { RecordedRun } from '../record/run-state.ts';
import {
  type DataFile,
  type EnvironmentFile,
  type EvaluationFile,
  fileNames,
  parseData,
  parseEnvironment,
  parseEvaluation,
  parseTaken,
  type TakenFile,
} from '../record/run-files.ts';

/** Everything that a run's directory contains. */
export interface RunDetails {
  readonly recorded: RecordedRun;
  readonly environment: EnvironmentFile | null;
  /** Null in runs of earlier versions. */
  readonly data: DataFile | null;
  readonly evaluation: EvaluationFile | null;
  /** The shared store that the run was taken from; null for a run that was trained here. */
  readonly taken: TakenFile | null;
  readonly series: ReadonlyMap<string, MetricSeries>;
  /** The value of each metric: that of the weights that the run keeps, otherwise the last one recorded. */
  readonly values: Metrics;
  /** The last lines of the log. */
  readonly logTail: readonly string[];
  /** Names of the files and folders that are there. */
  readonly files: readonly string[];
}

/** Reads a run's directory whole; metric lines that cannot be read are notices. */
export const loadRunDetails = async (directory: string): Promise<Result<RunDetails>> => {
  const read = readRun(directory);
  if (!read.ok) return read;
  const { series, problems } = await readMetrics(directory);
  const details: RunDetails = {
    recorded: read.value,
    environment: readJsonIfWhole(join(directory, fileNames.environment), parseEnvironment) ?? null,
    data: readJsonIfWhole(join(directory, fileNames.data), parseData) ?? null,
    evaluation: readJsonIfWhole(join(directory, fileNames.evaluation), parseEvaluation) ?? null,
    taken: readJsonIfWhole(join(directory, fileNames.taken), parseTaken) ?? null,
    series,
    values: { ...valuesAt(series, Infinity), ...read.value.metrics },
    logTail: lastLines(join(directory, fileNames.log), 5),
    files: Object.values(fileNames).filter((name) => existsSync(join(directory, name))),
  };
  return success(details, problems);
};

const tailBytes = 8192;

const lastLines = (path: string, count: number): string[] => {
  try {
    const file = openRegular(path);
    try {
      const { size } = fstatSync(file);
      const tail = Buffer.alloc(Math.min(size, tailBytes));
      readSync(file, tail, 0, tail.length, size - tail.length);
      return tail.toString('utf8').trimEnd().split('\n').slice(-count);
    } finally {
      closeSync(file);
    }
  } catch {
    return [];
  }
};

/** The form that programs read: the files' contents, histories as lists, numbers that are not finite as texts. */
export const runDetailsToJson = ({
  recorded,
  environment,
  data,
  evaluation,
  taken,
  series,
  files,
}: RunDetails): object => {
  const { directory, run, status, state, reason } = recorded;
  const metrics = [...series].map(([name, { steps, times, values }]) => [
    name,
    { steps, times, values: values.map(encodeNumber) },
  ]);
  return {
    directory,
    state,
    reason,
    run,
    status,
    environment,
    data,
    evaluation,
    ...(taken && { taken }),
    metrics: Object.fromEntries(metrics) as object,
    files,
  };
};
