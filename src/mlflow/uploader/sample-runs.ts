import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { Plan } from '../../plan/plan.ts';
import { readBegunRun } from '../../record/read-runs.ts';
import { fileNames } from '../../record/run-files.ts';
import { openSampler, openSystemJournal, samplingSettings } from './system-metrics.ts';

/** A run in training. */
interface Sampled {
  readonly journal: ReturnType<typeof openSystemJournal>;
  /** Milliseconds since 1970. */
  readonly nextAt: number;
}

/** When the status of a run was last written; undefined if it has none. */
const statusTime = (directory: string): number | undefined =>
  statSync(join(directory, fileNames.status), { throwIfNoEntry: false })?.mtimeMs;

/**
 * Appends the machine's load to every run in training: first half an interval after its start, so that each run that is
 * longer than an interval has a sample, and never after its end. Works without a server.
 */
export const startSampling = (runsDirectory: string, planNow: () => Plan): (() => void) => {
  const { enabled, everyMs } = samplingSettings(process.env);
  if (!enabled) return () => undefined;
  const sampler = openSampler();
  const ended = new Map<string, number>();
  const running = new Map<string, Sampled>();

  const look = () => {
    let sample: ReturnType<typeof sampler.sample> | undefined;
    for (const { experiment, id } of planNow().runs) {
      const directory = join(runsDirectory, experiment, id);
      const changedAt = statusTime(directory);
      if (changedAt === undefined || ended.get(id) === changedAt) continue;
      const known = running.get(id);
      if (known && known.nextAt > Date.now()) continue;
      const read = readBegunRun(directory);
      const run = read.ok ? read.value : undefined;
      if (run?.status?.state === 'ended') ended.set(id, changedAt);
      if (run?.state !== 'running' || !run.status) {
        running.delete(id);
        continue;
      }
      const { startedAt } = run.status;
      const journal = known?.journal ?? openSystemJournal(join(directory, fileNames.system));
      const now = Date.now();
      if (now >= (known?.nextAt ?? startedAt + everyMs / 2)) {
        journal.append(now, (sample ??= sampler.sample()));
        running.set(id, { journal, nextAt: now + everyMs });
      } else running.set(id, { journal, nextAt: startedAt + everyMs / 2 });
    }
  };
  const lookSafely = () => {
    try {
      look();
    } catch {
      // A directory that is removed, or a full disk, costs a sample and not the uploader.
    }
  };
  const timer = setInterval(lookSafely, Math.min(everyMs / 4, 1000));
  timer.unref();
  return () => clearInterval(timer);
};
