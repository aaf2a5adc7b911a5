import { isAbsolute } from 'node:path';
import { type Diagnostic, failure, type Result, success } from '../diagnostic/diagnostic.ts';
import { rememberMetricsOf, runSchema, type Run } from '../plan/plan.ts';
import { decodeNumbers, isObject, JsonTooDeep, parseJson, readJsonText } from '../system/json.ts';
import { parserOf } from '../system/schema.ts';
import { outcomeReasons, type OutcomeReason } from './events.ts';
import { metricLineParser, statusParser, type MetricLine, type StatusFile } from './run-files.ts';

/** A recorded file that cannot be used: the file, what is wrong with it, and how to repair it. */
export const damaged = (
  path: string,
  what: string,
  help = 'Run the spec again: a run whose record cannot be read is not done, and is trained again.',
): Diagnostic => ({ code: 'damaged-record', severity: 'warning', message: `${path} ${what}.`, help });

type Fields = Readonly<Record<string, unknown>>;

const parse = (path: string, text: string): Result<Fields> => {
  if (text.trim() === '') return failure(damaged(path, 'is empty'));
  try {
    const value = readJsonText(text);
    return isObject(value) ? success(value) : failure(damaged(path, 'does not hold a JSON object'));
  } catch (error) {
    const what = error instanceof JsonTooDeep ? 'nests lists or objects too deep' : 'is not whole JSON';
    return failure(damaged(path, what));
  }
};

const runParser = parserOf(runSchema);

/** What is wrong with a file of which the part at `keys` is missing or of no known form. */
export const noUsable = (keys: readonly string[] = []): string =>
  keys.length ? `has no usable \`${keys.join('.')}\`` : 'does not hold a JSON object';

/** The content of `run.json`. */
export const parseRun = (path: string, text: string): Result<Run> => {
  const parsed = parse(path, text);
  if (!parsed.ok) return parsed;
  const { value } = parsed;
  const run = runParser(value);
  if (!run) return failure(damaged(path, noUsable(runParser.firstWrong(value))));
  rememberMetricsOf(run);
  return success(run);
};

/** The content of `status.json`; metrics that are not finite become numbers again. */
export const parseStatus = (path: string, text: string): Result<StatusFile> => {
  const parsed = parse(path, text);
  return parsed.ok ? toStatus(path, parsed.value) : parsed;
};

/** A status that others can do without. */
export const statusIfWhole = (value: unknown): StatusFile | undefined => {
  const status = toStatus('', value);
  return status.ok ? status.value : undefined;
};

const toStatus = (path: string, value: unknown): Result<StatusFile> => {
  const status = statusParser(value);
  if (!status) return failure(damaged(path, noUsable(statusParser.firstWrong(value))));
  const outside = Object.keys(status.files ?? {}).find(leadsOutside);
  if (outside !== undefined)
    return failure(damaged(path, `names ${JSON.stringify(outside)}, which is not a file of a run`));
  const { outcome, ...rest } = status;
  if (!outcome) return success({ ...rest, outcome: null });
  const { reason } = outcome;
  if (!isReason(reason)) {
    return failure(
      damaged(
        path,
        `has an end that this version of Unroll does not know, ${JSON.stringify(reason)}`,
        'Use the version of Unroll that recorded it, or run the spec again to train this run again.',
      ),
    );
  }
  return success({ ...rest, outcome: { ...outcome, reason, metrics: decodeNumbers(outcome.metrics) } });
};

/** Whether the name of a run's file leads out of the directory of the run, or cannot be a name. */
const leadsOutside = (name: string): boolean =>
  isAbsolute(name) || name.includes('\0') || name.split('/').includes('..');

const isReason = (value: string): value is OutcomeReason =>
  (outcomeReasons as readonly string[]).includes(value);

/** A line of `metrics.jsonl`; undefined if it is damaged or not a metric line. */
export const parseMetricLine = (text: string): MetricLine | undefined => metricLineParser(parseJson(text));
