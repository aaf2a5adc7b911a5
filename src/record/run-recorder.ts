import { closeSync, existsSync, rmdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Run } from '../plan/plan.ts';
import type { Durability } from '../system/durability.ts';
import { masked } from '../system/secrets.ts';
import { sealedStatus } from './digests.ts';
import type { RunOutcome, TrainerEvent } from './events.ts';
import { readJsonIfWhole, syncFiles, writeJson, openToAppend } from '../system/files.ts';
import { LockLost } from '../system/lock.ts';
import { openLineWriter } from '../system/line-writer.ts';
import { ignoringSystemErrors } from '../system/system-error.ts';
import { openMetricsJournal, type CountedLines, type MetricsJournal } from './metrics-journal.ts';
import { processIdentity } from '../system/process-identity.ts';
import { statusIfWhole } from './parse-run-files.ts';
import { isNamed, recordedId } from './read-runs.ts';
import {
  fileNames,
  lastCheckpoint,
  modelFileNames,
  type EnvironmentFile,
  type StatusFile,
} from './run-files.ts';

/** Where a run's files lie. */
export const runDirectory = (runsDirectory: string, run: Pick<Run, 'experiment' | 'id'>): string =>
  join(runsDirectory, run.experiment, run.id);

/** Writes a run's directory from inside the run's own process: the one writer of everything but the end of a crash. */
export interface RunRecorder {
  readonly directory: string;
  /** Takes the trainer's events, in order. Returns a warning if the event contradicts what was recorded before. */
  readonly listen: (event: TrainerEvent) => string | undefined;
  readonly environment: (environment: EnvironmentFile) => void;
  /** The last recorded step; 0 at first. */
  readonly lastStep: () => number;
  /** What is recorded of the metrics, for a training that resumes. */
  readonly metrics: Pick<MetricsJournal, 'begins' | 'linesUpTo' | 'goOnAfter'>;
  /** Returns the metric lines so far. Waits until the disk has them, unless that is left to `settle`. */
  readonly flush: (durability?: Durability) => CountedLines;
  /** Waits until the disk has the whole directory, before the run is recorded as ended. */
  readonly settle: () => Promise<void>;
}

/** A run's files were removed or moved while it was trained, so its record is not whole. */
export class RecordRemoved extends Error {
  constructor(directory: string) {
    super(
      `${directory} was removed or moved while this run was trained, so nothing of it is recorded; run the command again to train it from the start`,
    );
  }
}

/** Ends of a training that has taken every step it could, so that no recorded line is left to be repeated. */
const isFinal = ({ reason }: RunOutcome): boolean => reason === 'completed' || reason === 'diverged';

/** Begins or continues the record of a run. */
export const recordRun = (directory: string, run: Run, attempt: number): RunRecorder => {
  const at = (...names: readonly string[]) => join(directory, ...names);
  nameRun(directory, run);
  const startedAt = Date.now();
  const before = readJsonIfWhole(statusPath(directory), statusIfWhole);
  const firstStartedAt = before?.firstStartedAt ?? before?.startedAt ?? startedAt;
  const status = (
    state: StatusFile['state'],
    outcome: RunOutcome | null,
    endedAt: number | null,
  ): StatusFile => ({
    state,
    attempt,
    startedAt,
    firstStartedAt,
    endedAt,
    outcome: outcome && { ...outcome, message: masked(outcome.message) },
    holder: state === 'running' ? processIdentity() : null,
  });
  const logFile = openToAppend(at(fileNames.log));
  const log = openLineWriter(logFile, at(fileNames.log));

  writeJson(statusPath(directory), status('running', null, null), 'later');
  const journal = openMetricsJournal(at(fileNames.metrics));

  const write = () => {
    journal.write();
    log.write();
  };

  const warn = (message: string) => log.add(`warning: ${message}`);

  const requireRecord = () => {
    if (journal.isThere()) return;
    throw existsSync(at(fileNames.metrics)) ? new LockLost(directory) : new RecordRemoved(directory);
  };

  const recordMetrics = (event: Extract<TrainerEvent, { type: 'step-logged' | 'evaluated' }>) => {
    const replaced = journal.append(event.step, event.time, event.metrics);
    if (replaced !== undefined) warn(replaced);
    log.add(event.type === 'step-logged' ? displayLine(event) : evaluationLine(event));
    if (event.type === 'evaluated') write();
    return replaced;
  };

  const listen = (event: TrainerEvent): string | undefined => {
    switch (event.type) {
      case 'training-started':
        log.add(
          `${event.fromStep > 0 ? `resumed after step ${event.fromStep}` : 'started'}: ${event.parameterCount} parameters, ` +
            `${event.totalSteps} steps, ${event.backend}, ${event.kernel}`,
        );
        break;
      case 'step-logged':
      case 'evaluated':
        return recordMetrics(event);
      case 'record-distrusted':
        warn(event.message);
        break;
      case 'checkpoint-written':
        break;
      case 'training-ended': {
        const removed = isFinal(event.outcome) ? journal.endHere() : undefined;
        if (removed !== undefined) warn(removed);
        log.add(`ended: ${event.outcome.reason}: ${masked(event.outcome.message)}`);
        log.write();
        journal.flush();
        journal.close();
        closeSync(logFile);
        requireRecord();
        nameRun(directory, run);
        writeJson(statusPath(directory), sealedStatus(directory, status('ended', event.outcome, event.time)));
        // Where the folder was removed in between, the status alone would pass for a whole run.
        withdrawUnless(directory, requireRecord);
        return removed;
      }
    }
    return undefined;
  };

  return {
    directory,
    listen,
    environment: (environment) => writeJson(at(fileNames.environment), environment, 'later'),
    lastStep: journal.lastStep,
    metrics: journal,
    flush: (durability) => {
      requireRecord();
      log.write();
      return journal.flush(durability);
    },
    settle: async () => {
      requireRecord();
      log.write();
      await Promise.all([
        journal.settle(),
        syncFiles([
          at(fileNames.run),
          at(fileNames.environment),
          at(fileNames.evaluation),
          at(fileNames.predictions),
          at(fileNames.checkpoints, lastCheckpoint),
          ...Object.values(modelFileNames).map((name) => at(fileNames.model, name)),
        ]),
      ]);
    },
  };
};

/** Removes a status and a name that were written where the rest of the record is gone. Throws what `requireRecord` throws. */
const withdrawUnless = (directory: string, requireRecord: () => void): void => {
  try {
    requireRecord();
  } catch (error) {
    if (error instanceof RecordRemoved) {
      for (const path of [statusPath(directory), join(directory, fileNames.run)])
        ignoringSystemErrors(() => rmSync(path, { force: true }));
      ignoringSystemErrors(() => rmdirSync(directory));
    }
    throw error;
  }
};

/**
 * Writes the end of a run whose process could not: it crashed or was killed. What the process did write is kept, and so
 * is what a later attempt wrote. A directory that was removed meanwhile stays so.
 */
export const recordLoss = (
  directory: string,
  run: Run,
  { outcome, attempt }: { readonly outcome: RunOutcome; readonly attempt: number },
): void => {
  if (!existsSync(directory)) return;
  const known =
    recordedId(directory) === run.id ? readJsonIfWhole(statusPath(directory), statusIfWhole) : undefined;
  if (known && (known.attempt > attempt || (known.state === 'ended' && known.attempt === attempt))) return;
  const now = Date.now();
  const file: StatusFile = {
    state: 'ended',
    attempt,
    startedAt: known?.startedAt ?? now,
    firstStartedAt: known?.firstStartedAt ?? known?.startedAt ?? now,
    endedAt: now,
    outcome: { ...outcome, message: masked(outcome.message) },
    holder: null,
  };
  // Without it the file still names the dead process, which is as clear.
  ignoringSystemErrors(() => {
    // The status first: an older one must not count again.
    writeJson(statusPath(directory), sealedStatus(directory, file));
    nameRun(directory, run);
  });
};

const statusPath = (directory: string): string => join(directory, fileNames.status);

/** Writes `run.json` unless it can be read and is of this run, as the plan has it: one that was changed is replaced. */
const nameRun = (directory: string, run: Run): void => {
  if (!isNamed(directory, run)) writeJson(join(directory, fileNames.run), run, 'later');
};

/** With fixed decimals, or with more where it would keep fewer than four significant digits. */
const decimal = (value: number, decimals: number): string => {
  const size = Math.abs(value);
  if (size === 0 || !Number.isFinite(value)) return value.toFixed(decimals);
  return value.toFixed(Math.min(100, Math.max(decimals, 3 - Math.floor(Math.log10(size)))));
};

/** The line that the reference systems print: `Iter 1280, Minibatch Loss= 1.576423, Training Accuracy= 0.46875`. */
export const displayLine = (event: Extract<TrainerEvent, { type: 'step-logged' }>): string => {
  const loss = event.metrics['train/loss'];
  const accuracy = event.metrics['train/accuracy'];
  const others = Object.entries(event.metrics).filter(
    ([key]) => key !== 'train/loss' && key !== 'train/accuracy',
  );
  return [
    `Iter ${event.examples}`,
    loss !== undefined && `Minibatch Loss= ${decimal(loss, 6)}`,
    accuracy !== undefined && `Training Accuracy= ${decimal(accuracy, 5)}`,
    ...others.map(([key, value]) => `${key}= ${value.toPrecision(6)}`),
  ]
    .filter(Boolean)
    .join(', ');
};

const evaluationLine = (event: Extract<TrainerEvent, { type: 'evaluated' }>): string =>
  `step ${event.step}: ${Object.entries(event.metrics)
    .map(([key, value]) => `${key} ${decimal(value, 5)}`)
    .join(', ')}`;
