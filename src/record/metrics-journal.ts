import { closeSync, fsyncSync, openSync } from 'node:fs';
import type { Metrics } from './events.ts';
import { syncFile } from '../system/files.ts';
import { decodeNumber, encodeNumber } from '../system/json.ts';
import { cutAfter, linesFrom, lineText, parseJson, type FileLine } from '../system/jsonl.ts';
import { openLineWriter } from '../system/line-writer.ts';
import type { MetricLine } from './run-files.ts';

/** The append-only record of a run's metrics. */
export interface MetricsJournal {
  /**
   * Appends the metrics of a step. What is already recorded is left as it is: a resumed run repeats the steps after its
   * last checkpoint, and repeated steps have the same values. Returns the keys whose repeated value differs.
   */
  readonly append: (step: number, time: number, metrics: Metrics) => readonly string[];
  /** The last recorded step over all metrics; 0 at first. */
  readonly lastStep: () => number;
  /** Writes what waits to be written. */
  readonly write: () => void;
  /** Waits until the disk has everything, before a checkpoint that relies on it. */
  readonly flush: () => void;
  /** The same without holding up this thread. */
  readonly settle: () => Promise<void>;
  readonly close: () => void;
}

/**
 * Opens `metrics.jsonl`, repairs a torn last line (cuts it off), and remembers what is recorded. The file only ever
 * grows otherwise: lines keep their time, so a copy on a server never has to be taken back.
 */
export const openMetricsJournal = (path: string): MetricsJournal => {
  const file = openSync(path, 'a+');
  const recorded = new Map<string, Map<number, MetricLine['metrics'][string]>>();
  let last = 0;

  const remember = (line: MetricLine) => {
    last = Math.max(last, line.step);
    for (const [key, value] of Object.entries(line.metrics)) {
      const steps = recorded.get(key) ?? new Map<number, MetricLine['metrics'][string]>();
      recorded.set(key, steps.set(line.step, value));
    }
  };

  // Cut after the last line that can be read: a damaged line between good ones is left for a person to look at.
  let whole: FileLine | undefined;
  for (const one of linesFrom(file)) {
    const line = parseJson(lineText(one)) as MetricLine | undefined;
    if (!line) continue;
    remember(line);
    whole = one;
  }
  cutAfter(file, whole);
  // Only a resumed run can repeat a step; a fresh one need not look back.
  const resumed = whole !== undefined;
  const horizon = last;

  const lines = openLineWriter(file);
  // What a process wrote that died may not be on the disk either.
  let isOnDisk = false;

  const append = (step: number, time: number, metrics: Metrics): readonly string[] => {
    const differing: string[] = [];
    const added: Record<string, MetricLine['metrics'][string]> = {};
    for (const [key, value] of Object.entries(metrics)) {
      const known = resumed && step <= horizon ? recorded.get(key)?.get(step) : undefined;
      if (known === undefined) added[key] = encodeNumber(value);
      else if (!Object.is(decodeNumber(known), value)) differing.push(key);
    }
    if (Object.keys(added).length > 0) {
      last = Math.max(last, step);
      isOnDisk = false;
      lines.add(JSON.stringify({ step, time, metrics: added } satisfies MetricLine));
    }
    return differing;
  };

  return {
    append,
    lastStep: () => last,
    write: lines.write,
    flush: () => {
      lines.write();
      if (!isOnDisk) fsyncSync(file);
      isOnDisk = true;
    },
    settle: async () => {
      lines.write();
      // Lines that come meanwhile say otherwise.
      isOnDisk = true;
      await syncFile(file).catch((error: unknown) => {
        isOnDisk = false;
        throw error;
      });
    },
    close: () => {
      lines.write();
      closeSync(file);
    },
  };
};
