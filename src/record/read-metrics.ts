import { readRegular, streamOf } from '../system/files.ts';
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Diagnostic } from '../diagnostic/diagnostic.ts';
import { decodeNumber } from '../system/json.ts';
import { lineText, splitLines } from '../system/jsonl.ts';
import { damaged, parseMetricLine } from './parse-run-files.ts';
import { fileNames, type MetricLine } from './run-files.ts';
import { systemErrorOf } from '../system/system-error.ts';

/** The history of one metric, by rising step. The three lists are equally long. */
export interface MetricSeries {
  readonly steps: number[];
  /** Milliseconds since 1970. */
  readonly times: number[];
  /** May hold NaN and infinities. */
  readonly values: number[];
}

export interface MetricHistory {
  readonly series: ReadonlyMap<string, MetricSeries>;
  /** Lines that could not be read. A torn last line is only a notice: the next run repairs it. */
  readonly problems: readonly Diagnostic[];
  /** Values that are recorded again at a step, and left out. */
  readonly repeated: readonly { readonly metric: string; readonly step: number }[];
}

/** Damaged lines of a file that are named one by one. */
const namedLines = 5;

/** Smaller files are read in one go: a stream costs more than a millisecond, and there is one for each run of a sweep. */
const streamedBytes = 1 << 20;

const piecesOf = (path: string): AsyncIterable<Buffer> | readonly Buffer[] =>
  statSync(path).size < streamedBytes ? [readRegular(path)] : (streamOf(path) as AsyncIterable<Buffer>);

const repair = "Delete the run's directory and run the spec again: only this run is trained again.";

/** Every metric that a run has recorded. A run without `metrics.jsonl` has none. */
export const readMetrics = async (directory: string): Promise<MetricHistory> => {
  const path = join(directory, fileNames.metrics);
  const series = new Map<string, MetricSeries>();
  const problems: Diagnostic[] = [];
  if (!existsSync(path)) return { series, problems, repeated: [] };

  const unreadable: number[] = [];
  const lines = splitLines();
  let lineNumber = 0;
  try {
    for await (const piece of piecesOf(path)) {
      for (const one of lines.add(piece)) {
        lineNumber++;
        const line = parseMetricLine(lineText(one));
        if (line) append(series, line);
        else unreadable.push(lineNumber);
      }
    }
  } catch (error) {
    const trouble = systemErrorOf(error);
    const what = trouble?.what ?? (error as Error).message;
    problems.push(damaged(path, `cannot be read: ${what}`, trouble?.advice));
  }

  for (const one of unreadable.slice(0, namedLines)) {
    problems.push(damaged(path, `line ${one} is not a metrics line; it is left out`, repair));
  }
  if (unreadable.length > namedLines) {
    problems.push(
      damaged(path, `has ${unreadable.length - namedLines} more lines that are left out`, repair),
    );
  }
  // A line counts only with its end: what was being written when the process died may still look whole.
  if (lines.rest().length > 0) {
    problems.push({
      code: 'damaged-record',
      severity: 'notice',
      message: `${path} ends in the middle of line ${lineNumber + 1}; the half line is left out.`,
      help: 'Nothing to do: a run that is being trained is about to finish it, and a resumed run repairs it.',
    });
  }
  const repeated = [...series].flatMap(([metric, { steps }]) =>
    repeatedIn(steps).map((step) => ({ metric, step })),
  );
  putInOrder(series);
  return { series, problems, repeated };
};

/** Every metric that a run has recorded, without a word about lines that cannot be read. */
export const readMetricSeries = (directory: string): MetricHistory['series'] => {
  const path = join(directory, fileNames.metrics);
  const series = new Map<string, MetricSeries>();
  if (!existsSync(path)) return series;
  for (const one of splitLines().add(readRegular(path))) {
    const line = parseMetricLine(lineText(one));
    if (line) append(series, line);
  }
  putInOrder(series);
  return series;
};

const putInOrder = (series: Map<string, MetricSeries>): void => {
  for (const [key, one] of series) series.set(key, inOrder(one));
};

const append = (series: Map<string, MetricSeries>, line: MetricLine): void => {
  for (const [key, value] of Object.entries(line.metrics)) {
    let one = series.get(key);
    if (!one) series.set(key, (one = { steps: [], times: [], values: [] }));
    one.steps.push(line.step);
    one.times.push(line.time);
    one.values.push(decodeNumber(value));
  }
};

const repeatedIn = (steps: readonly number[]): readonly number[] => {
  if (isRising(steps)) return [];
  const seen = new Set<number>();
  return steps.filter((step) => seen.has(step) || !seen.add(step));
};

const isRising = (steps: readonly number[]): boolean =>
  steps.every((step, i) => i === 0 || step > (steps[i - 1] ?? 0));

/** Rising steps, each once. The first record of a step counts, as for the writer. */
const inOrder = (series: MetricSeries): MetricSeries => {
  const { steps, times, values } = series;
  if (isRising(steps)) return series;
  const order = [...steps.keys()].sort((a, b) => (steps[a] ?? 0) - (steps[b] ?? 0) || a - b);
  const kept = order.filter((at, i) => i === 0 || steps[at] !== steps[order[i - 1] ?? 0]);
  const pick = (list: readonly number[]) => kept.map((at) => list[at] ?? NaN);
  return { steps: pick(steps), times: pick(times), values: pick(values) };
};
