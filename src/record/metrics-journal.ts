import { createHash } from 'node:crypto';
import { closeSync, existsSync, fstatSync, fsyncSync, ftruncateSync, constants, statSync } from 'node:fs';
import type { Metrics } from './events.ts';
import type { Durability } from '../system/durability.ts';
import { openRegular, syncFile, writeWhole } from '../system/files.ts';
import { encodeNumbers } from '../system/json.ts';
import { linesFrom, lineText } from '../system/jsonl.ts';
import { openLineWriter } from '../system/line-writer.ts';
import { named, onFile } from '../system/system-error.ts';
import { parseMetricLine } from './parse-run-files.ts';
import type { MetricLine } from './run-files.ts';

/** The first lines of `metrics.jsonl`: how many, and the hex SHA-256 of their bytes. A checkpoint names those before it. */
export interface CountedLines {
  readonly lines: number;
  readonly sha256: string;
}

/**
 * The record of a run's metrics. Lines are only appended, and keep their time, so that a copy on a server stays right.
 *
 * A resumed training repeats the steps after its checkpoint. What was recorded of them must come out the same: a repeated
 * line is compared with the recorded one and not written again. From the first line that differs on, the recorded lines
 * are replaced.
 */
export interface MetricsJournal {
  /** Whether the file begins with exactly these lines. */
  readonly begins: (counted: CountedLines) => boolean;
  /** How many of the recorded lines are of steps up to this one. */
  readonly linesUpTo: (step: number) => number;
  /** Keeps the first lines; the others are of steps that will be repeated. Called before the first `append`. */
  readonly goOnAfter: (lines: number) => void;
  /** Appends the metrics of a step. Returns a warning if it replaced recorded lines that did not come out the same. */
  readonly append: (step: number, time: number, metrics: Metrics) => string | undefined;
  /** Removes recorded lines that were not repeated. Returns a warning if there were any. */
  readonly endHere: () => string | undefined;
  /** The last recorded step over all metrics; 0 at first. */
  readonly lastStep: () => number;
  /** Writes the lines that wait to be written. */
  readonly write: () => void;
  /**
   * Returns the lines so far, for a checkpoint that relies on them, and waits until the disk has them, unless that is left to
   * `settle`.
   */
  readonly flush: (durability?: Durability) => CountedLines;
  /** Waits until the disk has everything, without blocking this thread. */
  readonly settle: () => Promise<void>;
  /** Whether the path still leads to the file that is written. */
  readonly isThere: () => boolean;
  readonly close: () => void;
}

interface RecordedLine {
  readonly bytes: Buffer;
  /** Undefined for a damaged line. */
  readonly line: MetricLine | undefined;
}

/** Opens `metrics.jsonl` without a torn or damaged end. */
export const openMetricsJournal = (path: string): MetricsJournal => {
  const recorded = recordedLines(path);
  // Whoever lost this run while it was stopped in the middle of a write writes to the old file when it wakes up.
  if (recorded)
    writeWhole(
      path,
      recorded.map(({ bytes }) => bytes),
    );
  return openJournal(path, recorded ?? []);
};

/** The lines of a file up to the last readable one; undefined where there is no file. */
const recordedLines = (path: string): RecordedLine[] | undefined => {
  if (!existsSync(path)) return undefined;
  const file = openRegular(path);
  try {
    return onFile(path, () => readableLines(file));
  } finally {
    closeSync(file);
  }
};

const openJournal = (path: string, recorded: RecordedLine[]): MetricsJournal => {
  const file = openRegular(path, constants.O_RDWR | constants.O_APPEND | constants.O_CREAT);
  const opened = fstatSync(file);

  /** How many of the recorded lines precede the training. */
  let kept = 0;
  /** How many of them are kept or were repeated. */
  let position = 0;
  let lines = 0;
  let hash = createHash('sha256');
  const advance = (bytes: Buffer) => {
    lines++;
    hash.update(bytes);
  };

  const writer = openLineWriter(file, path);
  let last = recorded.reduce((most, { line }) => Math.max(most, line?.step ?? 0), 0);
  // The lines of a process that died may not be on the disk either.
  let isOnDisk = false;

  /** Removes the recorded lines from the position on. */
  const cut = () => {
    recorded.length = position;
    ftruncateSync(
      file,
      recorded.reduce((sum, { bytes }) => sum + bytes.length, 0),
    );
    last = recorded.reduce((most, { line }) => Math.max(most, line?.step ?? 0), 0);
    isOnDisk = false;
  };

  const append: MetricsJournal['append'] = (step, time, metrics) => {
    const encoded = encodeNumbers(metrics);
    // A training that is paused a second time at the step of its checkpoint evaluates again.
    for (let at = kept - 1; recorded[at]?.line?.step === step; at--) {
      if (isRepeated(recorded[at], step, encoded)) return undefined;
    }
    const before = recorded[position];
    if (before && isRepeated(before, step, encoded)) {
      position++;
      advance(before.bytes);
      return undefined;
    }
    if (before) cut();
    const text = JSON.stringify({ step, time, metrics: encoded } satisfies MetricLine);
    advance(Buffer.from(`${text}\n`));
    last = Math.max(last, step);
    isOnDisk = false;
    writer.add(text);
    return before && `line ${lines} of metrics.jsonl was not what step ${step} gives; it is replaced`;
  };

  return {
    append,
    begins: ({ lines: count, sha256 }) => {
      if (count > recorded.length) return false;
      const first = createHash('sha256');
      for (const { bytes } of recorded.slice(0, count)) first.update(bytes);
      return first.digest('hex') === sha256;
    },
    linesUpTo: (step) => {
      const after = recorded.findIndex(({ line }) => line !== undefined && line.step > step);
      return after === -1 ? recorded.length : after;
    },
    goOnAfter: (count) => {
      kept = position = Math.min(count, recorded.length);
      lines = 0;
      hash = createHash('sha256');
      for (const { bytes } of recorded.slice(0, position)) advance(bytes);
    },
    endHere: () => {
      const left = recorded.length - position;
      if (left === 0) return undefined;
      cut();
      return `the end of metrics.jsonl, from line ${position + 1} on, is not of this training; it is removed`;
    },
    lastStep: () => last,
    write: writer.write,
    flush: (durability = 'at-once') => {
      writer.write();
      if (durability === 'at-once') {
        if (!isOnDisk) onFile(path, () => fsyncSync(file));
        isOnDisk = true;
      }
      return { lines, sha256: hash.copy().digest('hex') };
    },
    settle: async () => {
      writer.write();
      // A line appended meanwhile resets it.
      isOnDisk = true;
      await syncFile(file).catch((error: unknown) => {
        isOnDisk = false;
        throw named(error, path);
      });
    },
    isThere: () => {
      const now = statSync(path, { throwIfNoEntry: false });
      return now?.ino === opened.ino && now.dev === opened.dev;
    },
    close: () => {
      writer.write();
      closeSync(file);
    },
  };
};

/** The lines of an open file up to the last readable one. */
const readableLines = (file: number): RecordedLine[] => {
  const found = [...linesFrom(file)].map((one) => ({
    bytes: one.bytes,
    line: parseMetricLine(lineText(one)),
  }));
  return found.slice(0, found.findLastIndex(({ line }) => line !== undefined) + 1);
};

/** An earlier version of Unroll may have measured less. */
const isRepeated = (
  before: RecordedLine | undefined,
  step: number,
  metrics: MetricLine['metrics'],
): boolean =>
  before?.line?.step === step &&
  Object.entries(before.line.metrics).every(([name, value]) => metrics[name] === value);
