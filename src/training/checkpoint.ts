import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type * as tf from '@tensorflow/tfjs-core';
import type { Best } from '../record/kept-weights.ts';
import type { CountedLines } from '../record/metrics-journal.ts';
import { fileNames } from '../record/run-files.ts';
import {
  readMetadata,
  readTensors,
  writeTensors,
  type StoredTensor,
  type TensorFile,
} from '../system/safetensors.ts';
import type { Durability } from '../system/durability.ts';
import { bytesOf } from '../system/files.ts';
import { decodeNumber, encodeNumber, type JsonNumber } from '../system/json.ts';
import { interruptionOf } from '../system/system-error.ts';
import type { Plateau } from './plateau.ts';

/** Everything besides the tensors that training needs to resume from a step as if it had never stopped. */
export interface TrainerState {
  readonly step: number;
  /** The best value of the watched metric so far, and at which step; for early stopping and `best.safetensors`. */
  readonly best: Best;
  /** Only with the schedule `plateau`, once there was an evaluation. */
  readonly plateau?: Plateau;
}

/** Tensors by name, in a fixed order: `weights/<variable>`, `optimizer/<slot>/<variable>`, `average/<variable>`. */
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

/** What a checkpoint holds besides its tensors. */
export interface CheckpointLabel {
  readonly state: TrainerState;
  /** Id of the run. */
  readonly run: string;
  /** The metric lines that were recorded before it. */
  readonly metrics: CountedLines;
}

/**
 * Writes a checkpoint whole: a kill at any moment leaves the one before. Its metric lines must be on the disk already, unless it
 * goes to the disk later, too.
 */
export const writeCheckpoint = (
  directory: string,
  {
    tensors,
    ...rest
  }: {
    name: CheckpointName;
    tensors: TrainerTensors;
    label: CheckpointLabel;
    durability?: Durability;
  },
): void => writeStored(directory, { ...rest, stored: storeTensors(tensors) });

/** As `writeCheckpoint`, of tensors that are not on the back end. */
export const writeStored = (
  directory: string,
  {
    name,
    stored,
    label: { state, run, metrics },
    durability,
  }: {
    name: CheckpointName;
    stored: Checkpoint['tensors'];
    label: CheckpointLabel;
    durability?: Durability;
  },
): void => {
  const { best, plateau } = state;
  const fields = {
    state: JSON.stringify({
      ...state,
      best: encodeBest(best),
      ...(plateau && { plateau: { ...plateau, best: encodeBest(plateau.best) } }),
    }),
    run,
    metrics: JSON.stringify(metrics),
  };
  const metadata = { ...fields, sha256: digestOf({ tensors: stored, metadata: fields }) };
  writeTensors(checkpointPath(directory, name), { tensors: stored, metadata }, durability);
};

const encodeBest = (best: Best): StoredBest => best && { ...best, value: encodeNumber(best.value) };

const decodeBest = (best: StoredBest): Best => best && { ...best, value: decodeNumber(best.value) };

/** A value that is not finite has no number in JSON. */
type StoredBest = { readonly value: JsonNumber; readonly step: number } | null;

/** Hex SHA-256 of the tensors with their names and shapes, and of the label. */
const digestOf = ({ tensors, metadata: { state, run, metrics } }: TensorFile): string => {
  const hash = createHash('sha256').update(JSON.stringify([state, run, metrics]));
  for (const [name, { shape, values }] of tensors)
    hash.update(JSON.stringify([name, shape])).update(bytesOf(values));
  return hash.digest('hex');
};

export interface Checkpoint {
  readonly state: TrainerState;
  /** Undefined in checkpoints of Unroll 0.1, which counted no lines. */
  readonly metrics: CountedLines | undefined;
  readonly tensors: ReadonlyMap<string, StoredTensor>;
}

/** Why a checkpoint cannot be used, as the end of a sentence that begins with its name. */
export interface Unusable {
  readonly unusable: string;
}

/** Reads a checkpoint of a run; undefined if there is none. */
export const readCheckpoint = (
  directory: string,
  { name, tensors, run }: { name: CheckpointName; tensors: TrainerTensors; run: string },
): Checkpoint | Unusable | undefined => {
  const path = checkpointPath(directory, name);
  if (!existsSync(path)) return undefined;
  const read = readOwn(path, run);
  if ('unusable' in read) return read;
  for (const [key, tensor] of tensors) {
    if (read.tensors.get(key)?.shape.join() !== tensor.shape.join())
      return { unusable: `does not fit the network: ${key} is missing or has another shape` };
  }
  return read;
};

/** Why a checkpoint of a run cannot be used, as the end of a sentence that begins with its path; undefined if it can. */
export const checkpointDamage = (path: string, run: string): string | undefined => {
  const read = readOwn(path, run);
  return 'unusable' in read ? read.unusable : undefined;
};

/** The state of a run's last checkpoint, without its tensors; undefined if it cannot be read. */
export const checkpointOfEnd = (directory: string): TrainerState | undefined => {
  try {
    return parseState(readMetadata(checkpointPath(directory, 'last'))['state'] ?? '');
  } catch (error) {
    if (interruptionOf(error)) throw error;
    return undefined;
  }
};

/** Reads a checkpoint of a run whatever its network. */
export const readOwn = (path: string, run: string): Checkpoint | Unusable => {
  try {
    const file = readTensors(path);
    const { metadata } = file;
    const keys = Object.keys(metadata).sort().join();
    const isOld = keys === 'state';
    if (!isOld && (keys !== 'metrics,run,sha256,state' || metadata['sha256'] !== digestOf(file)))
      return { unusable: 'is damaged: its checksum does not match' };
    if (!isOld && metadata['run'] !== run) return { unusable: `is of another run, ${metadata['run']}` };
    return {
      state: parseState(metadata['state'] ?? ''),
      metrics: isOld ? undefined : (JSON.parse(metadata['metrics'] ?? '') as CountedLines),
      tensors: file.tensors,
    };
  } catch (error) {
    // The checkpoint may be whole: a training that started over would lose its steps.
    if (interruptionOf(error)) throw error;
    return { unusable: 'is damaged: it cannot be read' };
  }
};

const parseState = (text: string): TrainerState => {
  const { best, plateau, ...state } = JSON.parse(text) as Omit<TrainerState, 'best' | 'plateau'> & {
    readonly best: StoredBest;
    readonly plateau?: Omit<Plateau, 'best'> & { readonly best: StoredBest };
  };
  return {
    ...state,
    best: decodeBest(best),
    ...(plateau && { plateau: { ...plateau, best: decodeBest(plateau.best) } }),
  };
};
