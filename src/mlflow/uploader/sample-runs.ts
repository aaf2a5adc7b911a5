import { join } from 'node:path';
import { fileNames } from '../../record/run-files.ts';
import type { TrackedRun } from '../journal/record.ts';
import { openSampler, openSystemJournal, samplingSettings } from './system-metrics.ts';

/** Appends the machine's load to every run in training. */
export const startSampling = (records: ReadonlyMap<string, TrackedRun>): (() => void) => {
  const { enabled, everyMs } = samplingSettings(process.env);
  if (!enabled) return () => undefined;
  const sampler = openSampler();
  const journals = new Map<string, ReturnType<typeof openSystemJournal>>();
  const timer = setInterval(() => {
    const sample = sampler.sample();
    const time = Date.now();
    for (const [id, { directory, state, recording }] of records) {
      if (state !== 'running' || recording === undefined) continue;
      const journal = journals.get(id) ?? openSystemJournal(join(directory, fileNames.system));
      journals.set(id, journal);
      journal.append(time, sample);
    }
  }, everyMs);
  timer.unref();
  return () => clearInterval(timer);
};
