import { createHash } from 'node:crypto';
import { closeSync, fstatSync } from 'node:fs';
import { readFully, openRegular } from '../../system/files.ts';
import { isOfTest } from '../../record/kept-weights.ts';
import { isJsonNumber, parseJson } from '../../system/json.ts';
import { linesFrom, lineText } from '../../system/jsonl.ts';
import { cleanKey } from '../client/limits.ts';
import type { WireMetric } from '../client/wire.ts';

/** How far a file of metric lines has been read: a byte offset after a line, and the digest of that line. */
export interface Position {
  readonly offset: number;
  /** Empty at the start of the file. */
  readonly tail: string;
}

export const fileStart: Position = { offset: 0, tail: '' };

/** Points of some whole lines, as they are sent. */
export interface Page {
  readonly points: readonly WireMetric[];
  readonly end: Position;
  /** Lines that cannot be read as metrics, with the offset at which each starts. */
  readonly damaged: readonly { readonly offset: number; readonly text: string }[];
  readonly lines: number;
}

/** `rewritten`: the content before the position has changed, so the position is no longer valid. */
export type PageResult = Page | 'rewritten';

const newline = 10;

const digestOf = (line: Buffer): string => createHash('sha256').update(line).digest('hex').slice(0, 16);

/**
 * The step at which the server gets a point. It draws a bar for a metric whose only point is at step 0, and a dot
 * otherwise; so the points of the test part, which is evaluated once, are there.
 */
export const stepOnServer = (key: string, step: number): number => (isOfTest(key) ? 0 : step);

/** The points of a line, or nothing when it is damaged. Keys are cleaned as MLflow needs them. */
const parseMetricLine = (text: string): readonly WireMetric[] | undefined => {
  const { step, time, metrics } = (parseJson(text) ?? {}) as Record<string, unknown>;
  if (!Number.isSafeInteger(step) || !Number.isSafeInteger(time) || typeof metrics !== 'object' || !metrics)
    return undefined;
  const points: WireMetric[] = [];
  for (const [key, value] of Object.entries(metrics as Record<string, unknown>)) {
    if (!isJsonNumber(value)) return undefined;
    points.push({
      key: cleanKey(key),
      value,
      timestamp: time as number,
      step: stepOnServer(key, step as number),
    });
  }
  return points;
};

/** Whether the line that ends at the position is still the one that was read. */
const stillThere = (file: number, { offset, tail }: Position): boolean => {
  if (offset === 0) return true;
  if (fstatSync(file).size < offset) return false;
  for (let size = 4096; ; size *= 4) {
    const start = Math.max(0, offset - size);
    const window = Buffer.alloc(offset - start);
    if (readFully(file, window, start) < window.length || window.at(-1) !== newline) return false;
    const before = window.lastIndexOf(newline, window.length - 2);
    if (before === -1 && start > 0) continue;
    return digestOf(window.subarray(before + 1)) === tail;
  }
};

/**
 * Reads whole lines from a position until about `most` points are found. A torn last line is left for later. A missing
 * file has no lines.
 */
export const readPage = (path: string, from: Position, most: number): PageResult => {
  let file: number;
  try {
    file = openRegular(path);
  } catch {
    return from.offset === 0 ? { points: [], end: from, damaged: [], lines: 0 } : 'rewritten';
  }
  try {
    if (!stillThere(file, from)) return 'rewritten';
    const points: WireMetric[] = [];
    const damaged: { offset: number; text: string }[] = [];
    let { offset, tail } = from;
    let lines = 0;
    // To read none is to ask whether the position still holds.
    for (const line of most > 0 ? linesFrom(file, offset) : []) {
      const text = lineText(line);
      const found = parseMetricLine(text);
      if (found) points.push(...found);
      else if (text.trim() !== '') damaged.push({ offset, text });
      lines++;
      offset = line.end;
      tail = digestOf(line.bytes);
      if (points.length >= most) break;
    }
    return { points, end: { offset, tail }, damaged, lines };
  } finally {
    closeSync(file);
  }
};

/** How many points come after a position: what still has to be sent. */
export const countPoints = (path: string, from: Position): number => {
  let count = 0;
  for (let at = from; ;) {
    const page = readPage(path, at, 50_000);
    if (page === 'rewritten') {
      if (at.offset === 0) return count;
      at = fileStart;
      continue;
    }
    count += page.points.length;
    if (page.lines === 0) return count;
    at = page.end;
  }
};
