import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Run } from '../plan/plan.ts';
import type { MetricsJournal } from '../record/metrics-journal.ts';
import { fileNames } from '../record/run-files.ts';
import {
  readCheckpoint,
  stepCheckpoint,
  type Checkpoint,
  type CheckpointName,
  type TrainerState,
  type TrainerTensors,
} from './checkpoint.ts';

/** Where a training resumes. */
export interface ResumePoint {
  /** Undefined for the start. */
  readonly checkpoint: Checkpoint | undefined;
  /** How many of the recorded metric lines precede it. */
  readonly lines: number;
  /** Why newer checkpoints were not used, one sentence each. */
  readonly warnings: readonly string[];
}

interface Recorded {
  readonly run: Run;
  readonly directory: string;
  readonly metrics: Pick<MetricsJournal, 'begins' | 'linesUpTo'>;
}

/**
 * Finds the newest checkpoint that is whole, is of this run, and counts the metric lines that are recorded: what came
 * before it is then known to be what an undisturbed training would have left.
 */
export const findResumePoint = (
  recorded: Recorded,
  tensors: { readonly all: TrainerTensors; readonly weights: TrainerTensors },
): ResumePoint => {
  const { run, directory, metrics } = recorded;
  const rejected: string[] = [];
  const warnings = (from: string) => rejected.map((why) => `${why}; training ${from}`);
  for (const name of checkpointNames(directory)) {
    const found = readCheckpoint(directory, { name, tensors: tensors.all, run: run.id });
    if (!found) continue;
    const why = 'unusable' in found ? found.unusable : mismatchOf(found, recorded, tensors.weights);
    if (why !== undefined || 'unusable' in found) {
      rejected.push(`checkpoint ${name} ${why ?? ''}`);
      continue;
    }
    const { state } = found;
    const lines = found.metrics?.lines ?? metrics.linesUpTo(state.step);
    return { checkpoint: found, lines, warnings: warnings(`resumes after step ${state.step}`) };
  }
  return { checkpoint: undefined, lines: 0, warnings: warnings('starts over') };
};

/** The checkpoints that hold all that a training needs, the newest first. */
const checkpointNames = (directory: string): CheckpointName[] => {
  const folder = join(directory, fileNames.checkpoints);
  const files = existsSync(folder) ? readdirSync(folder) : [];
  const steps = files.flatMap((file) => {
    const step = /^step-(\d+)\.safetensors$/.exec(file)?.[1];
    return step === undefined ? [] : [Number(step)];
  });
  return ['last', ...steps.sort((a, b) => b - a).map(stepCheckpoint)];
};

/** Why a whole checkpoint does not belong to what is recorded beside it. */
const mismatchOf = (
  { state, metrics: counted }: Checkpoint,
  { run, directory, metrics }: Recorded,
  weights: TrainerTensors,
): string | undefined => {
  if (counted && !metrics.begins(counted))
    return `follows ${counted.lines} lines of metrics.jsonl that are not there as they were written`;
  if (!needsBest(run, state)) return undefined;
  const best = readCheckpoint(directory, { name: 'best', tensors: weights, run: run.id });
  if (!best) return `needs the checkpoint best of step ${state.best?.step ?? 0}, which is missing`;
  if ('unusable' in best) return `needs the checkpoint best, which ${best.unusable}`;
  // A later one will be written again when its step is repeated.
  return best.state.step < (state.best?.step ?? 0)
    ? `needs the checkpoint best of step ${state.best?.step ?? 0}, and it is of step ${best.state.step}`
    : undefined;
};

/** Whether a training in this state relies on the weights of its best evaluation. */
export const needsBest = ({ config: { train } }: Run, { best }: TrainerState): boolean =>
  best !== null && (train.keepCheckpoints === 'best' || train.earlyStopping?.restoreBest === true);
