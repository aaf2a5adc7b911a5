import { closeSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import type { Run } from '../plan/plan.ts';
import { masked } from '../system/secrets.ts';
import type { RunOutcome, TrainerEvent } from './events.ts';
import { diskTrouble, readJson, syncFiles, writeJson } from '../system/files.ts';
import { openLineWriter } from '../system/line-writer.ts';
import { openMetricsJournal } from './metrics-journal.ts';
import { processIdentity } from '../system/process-identity.ts';
import { fileNames, modelFileNames, type EnvironmentFile, type StatusFile } from './run-files.ts';

/** Where a run's files lie. */
export const runDirectory = (runsDirectory: string, run: Pick<Run, 'experiment' | 'id'>): string =>
  join(runsDirectory, run.experiment, run.id);

/** Writes a run's directory from inside the run's own process: the one writer of everything but the end of a crash. */
export interface RunRecorder {
  readonly directory: string;
  /** Takes the trainer's events, in order. */
  readonly listen: (event: TrainerEvent) => void;
  readonly environment: (environment: EnvironmentFile) => void;
  /** The last recorded step; 0 at first. */
  readonly lastStep: () => number;
  /** Waits until the disk has every metric. */
  readonly flush: () => void;
  /** Waits until the disk has the whole directory, before the run is said to have ended. */
  readonly settle: () => Promise<void>;
}

/** Begins (or goes on with) the record of a run. */
export const recordRun = (directory: string, run: Run, attempt: number): RunRecorder => {
  const at = (...names: readonly string[]) => join(directory, ...names);
  if (readJson(at(fileNames.run)) === undefined) writeJson(at(fileNames.run), run, 'later');
  const startedAt = Date.now();
  const before = readJson<StatusFile>(at(fileNames.status));
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
  const logFile = openSync(at(fileNames.log), 'a');
  const log = openLineWriter(logFile);

  writeJson(at(fileNames.status), status('running', null, null), 'later');
  const journal = openMetricsJournal(at(fileNames.metrics));

  const write = () => {
    journal.write();
    log.write();
  };

  const recordMetrics = (event: Extract<TrainerEvent, { type: 'step-logged' | 'evaluated' }>) => {
    const differing = journal.append(event.step, event.time, event.metrics);
    if (differing.length > 0)
      log.add(
        `warning: step ${event.step} was recorded before with another value of ${differing.join(', ')}`,
      );
    log.add(event.type === 'step-logged' ? displayLine(event) : evaluationLine(event));
    if (event.type === 'evaluated') write();
  };

  const listen = (event: TrainerEvent): void => {
    switch (event.type) {
      case 'training-started':
        log.add(
          `${event.fromStep > 0 ? `resumed after step ${event.fromStep}` : 'started'}: ${event.parameterCount} parameters, ` +
            `${event.totalSteps} steps, ${event.backend}, ${event.kernel}`,
        );
        break;
      case 'step-logged':
      case 'evaluated':
        recordMetrics(event);
        break;
      case 'checkpoint-written':
        break;
      case 'training-ended':
        log.add(`ended: ${event.outcome.reason}: ${masked(event.outcome.message)}`);
        log.write();
        journal.flush();
        journal.close();
        closeSync(logFile);
        writeJson(at(fileNames.status), status('ended', event.outcome, event.time));
        break;
    }
  };

  return {
    directory,
    listen,
    environment: (environment) => writeJson(at(fileNames.environment), environment, 'later'),
    lastStep: journal.lastStep,
    flush: () => {
      journal.flush();
      log.write();
    },
    settle: async () => {
      log.write();
      await Promise.all([
        journal.settle(),
        syncFiles([
          at(fileNames.run),
          at(fileNames.environment),
          at(fileNames.evaluation),
          at(fileNames.model, modelFileNames.weights),
          at(fileNames.model, modelFileNames.model),
        ]),
      ]);
    },
  };
};

/**
 * Writes the end of a run whose process could not: it crashed, was killed, or never wrote its last word.
 * What the process did write stands.
 */
export const recordLoss = (directory: string, outcome: RunOutcome, attempt: number): void => {
  const known = readJson<StatusFile>(join(directory, fileNames.status));
  if (known?.state === 'ended' && known.attempt === attempt) return;
  const now = Date.now();
  mkdirSync(directory, { recursive: true });
  const file: StatusFile = {
    state: 'ended',
    attempt,
    startedAt: known?.startedAt ?? now,
    firstStartedAt: known?.firstStartedAt ?? known?.startedAt ?? now,
    endedAt: now,
    outcome: { ...outcome, message: masked(outcome.message) },
    holder: null,
  };
  try {
    writeJson(join(directory, fileNames.status), file);
  } catch (error) {
    // Then the file still names the dead process, which says as much.
    if (diskTrouble(error) === undefined) throw error;
  }
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
    loss !== undefined && `Minibatch Loss= ${loss.toFixed(6)}`,
    accuracy !== undefined && `Training Accuracy= ${accuracy.toFixed(5)}`,
    ...others.map(([key, value]) => `${key}= ${value.toPrecision(6)}`),
  ]
    .filter(Boolean)
    .join(', ');
};

const evaluationLine = (event: Extract<TrainerEvent, { type: 'evaluated' }>): string =>
  `step ${event.step}: ${Object.entries(event.metrics)
    .map(([key, value]) => `${key} ${value.toFixed(5)}`)
    .join(', ')}`;
