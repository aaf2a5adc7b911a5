import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type * as tf from '@tensorflow/tfjs-core';
import type { Best } from '../record/kept-weights.ts';
import { fileNames } from '../record/run-files.ts';
import { readTensors, writeTensors, type StoredTensor } from '../record/safetensors.ts';

/** Everything beyond the tensors that training needs to go on from a step as if it had never stopped. */
export interface TrainerState {
  readonly step: number;
  /** The best value of the watched metric so far, and at which step; for early stopping and `best.safetensors`. */
  readonly best: Best;
}

/** Tensors by name, in a fixed order: `weights/<variable>` and `optimizer/<slot>/<variable>`. */
export type TrainerTensors = ReadonlyMap<string, tf.Tensor>;

/** `last` and `best` are written over; one under its step stays. */
export type CheckpointName = 'last' | 'best' | `step-${string}`;

/** `step-000500`: in the order of the steps when sorted by name. */
export const stepCheckpoint = (step: number): CheckpointName => `step-${String(step).padStart(6, '0')}`;

export const checkpointPath = (directory: string, name: CheckpointName): string =>
  join(directory, fileNames.checkpoints, `${name}.safetensors`);

/** Reads tensors back from the back end, to be stored. */
export const storeTensors = (tensors: TrainerTensors): ReadonlyMap<string, StoredTensor> =>
  new Map(
    [...tensors].map(([key, tensor]) => [key, { shape: tensor.shape, values: tensor.dataSync<'float32'>() }]),
  );

/** Writes a checkpoint whole: a kill at any moment leaves the one before. */
export const writeCheckpoint = (
  directory: string,
  { name, tensors, state }: { name: CheckpointName; tensors: TrainerTensors; state: TrainerState },
): void => {
  const stored = new Map<string, StoredTensor>();
  for (const [key, tensor] of tensors)
    stored.set(key, { shape: tensor.shape, values: tensor.dataSync<'float32'>() });
  writeTensors(checkpointPath(directory, name), {
    tensors: stored,
    metadata: { state: JSON.stringify(state) },
  });
};

export interface Checkpoint {
  readonly state: TrainerState;
  readonly tensors: ReadonlyMap<string, StoredTensor>;
}

/** Reads a checkpoint, or nothing where there is none that fits; a damaged or foreign one counts as none. */
export const readCheckpoint = (
  directory: string,
  { name, tensors }: { name: CheckpointName; tensors: TrainerTensors },
): Checkpoint | undefined => {
  const path = checkpointPath(directory, name);
  if (!existsSync(path)) return undefined;
  try {
    const file = readTensors(path);
    for (const [key, tensor] of tensors) {
      if (file.tensors.get(key)?.shape.join() !== tensor.shape.join()) return undefined;
    }
    return { state: JSON.parse(file.metadata['state'] ?? '') as TrainerState, tensors: file.tensors };
  } catch {
    return undefined;
  }
};
