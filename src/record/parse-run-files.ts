import { join } from 'node:path';
import { type Diagnostic, failure, type Result, success } from '../diagnostic/diagnostic.ts';
import type { Run } from '../plan/plan.ts';
import { readJsonIfWhole } from '../system/files.ts';
import { decodeNumbers, isJsonNumber } from '../system/json.ts';
import { parseJson } from '../system/jsonl.ts';
import { outcomeReasons } from './events.ts';
import { type EnvironmentFile, fileNames, type MetricLine, type StatusFile } from './run-files.ts';

/** A recorded file that cannot be used: the file, what is wrong with it, and how to repair it. */
export const damaged = (
  path: string,
  what: string,
  help = 'Run the spec again: a run whose record cannot be read is not done, and is trained again.',
): Diagnostic => ({ code: 'damaged-record', severity: 'warning', message: `${path} ${what}.`, help });

/** A recorded file is there and cannot be used, and nothing can be done without it. */
export class RecordUnreadable extends Error {
  readonly diagnostic: Diagnostic;
  constructor(diagnostic: Diagnostic) {
    super(diagnostic.message);
    this.diagnostic = diagnostic;
  }
}

type Fields = Readonly<Record<string, unknown>>;

export const isObject = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const parse = (path: string, text: string): Result<Fields> => {
  if (text.trim() === '') return failure(damaged(path, 'is empty'));
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? success(value) : failure(damaged(path, 'does not hold a JSON object'));
  } catch {
    return failure(damaged(path, 'is not whole JSON'));
  }
};

const missing = (value: unknown, fields: Readonly<Record<string, (field: unknown) => boolean>>) =>
  Object.entries(fields).find(([key, fits]) => !isObject(value) || !fits(value[key]))?.[0];

const isText = (field: unknown) => typeof field === 'string';
const isNumber = (field: unknown) => typeof field === 'number';
const isNamed = (field: unknown) => isObject(field) && isText(field['name']);

const missingInRun = (value: unknown): string | undefined =>
  missing(value, {
    id: isText,
    cell: isText,
    experiment: isText,
    seed: isNumber,
    config: isObject,
    varying: isObject,
    versions: isObject,
    datasetDigest: isText,
  }) ??
  missing((value as Run).config, {
    dataset: isNamed,
    model: isNamed,
    optimizer: isNamed,
    train: isObject,
  });

/** Whether a value has the parts of a run that its readers rely on. */
export const isRun = (value: unknown): value is Run => missingInRun(value) === undefined;

/** The content of `run.json`. */
export const parseRun = (path: string, text: string): Result<Run> => {
  const parsed = parse(path, text);
  if (!parsed.ok) return parsed;
  const absent = missingInRun(parsed.value);
  return absent === undefined
    ? success(parsed.value as unknown as Run)
    : failure(damaged(path, `has no usable \`${absent}\``));
};

/** The content of `environment.json`; undefined if there is none that can be used. */
export const readEnvironment = (directory: string): EnvironmentFile | undefined => {
  const value: unknown = readJsonIfWhole(join(directory, fileNames.environment));
  const { git } = isObject(value) ? value : {};
  const absent =
    missing(value, {
      ...{ unroll: isText, node: isText, backend: isText, tensorflow: isText, kernel: isText },
      ...{ threads: isNumber, platform: isText, cpu: isText, cores: isNumber, host: isText },
      ...{ user: isText, commandLine: isText },
      git: (field) => field === null || isObject(field),
    }) ?? (git === null ? undefined : missing(git, { commit: isText, branch: isText }));
  return absent === undefined ? (value as EnvironmentFile) : undefined;
};

/** The content of `status.json`; metrics that are not finite become numbers again. */
export const parseStatus = (path: string, text: string): Result<StatusFile> => {
  const parsed = parse(path, text);
  if (!parsed.ok) return parsed;
  const { outcome } = parsed.value;
  const absent =
    missing(parsed.value, {
      state: (state) => state === 'running' || state === 'ended',
      attempt: isNumber,
      startedAt: isNumber,
      outcome: (field) => field === null || isObject(field),
    }) ??
    (isObject(outcome)
      ? missing(outcome, { reason: isText, message: isText, step: isNumber, metrics: isObject })
      : undefined);
  if (absent !== undefined) return failure(damaged(path, `has no usable \`${absent}\``));
  const reason = isObject(outcome) ? outcome['reason'] : undefined;
  if (reason !== undefined && !(outcomeReasons as readonly unknown[]).includes(reason)) {
    return failure(
      damaged(
        path,
        `has an end that this version of Unroll does not know, ${JSON.stringify(reason)}`,
        'Use the version of Unroll that recorded it, or run the spec again to train this run again.',
      ),
    );
  }
  const status = parsed.value as unknown as StatusFile;
  if (!status.outcome) return success(status);
  const metrics = decodeNumbers(status.outcome.metrics);
  return success({ ...status, outcome: { ...status.outcome, metrics } });
};

/** A line of `metrics.jsonl`; undefined if it is damaged or is no metric line. */
export const parseMetricLine = (text: string): MetricLine | undefined => {
  const value = parseJson(text);
  const fits =
    isObject(value) &&
    Number.isSafeInteger(value['step']) &&
    isNumber(value['time']) &&
    isObject(value['metrics']) &&
    Object.values(value['metrics']).every(isJsonNumber);
  return fits ? (value as unknown as MetricLine) : undefined;
};
