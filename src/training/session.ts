import {
  batchIndices,
  examplesPerStep,
  stepsPerEpoch,
  totalSteps as countSteps,
  type BatchIndices,
} from '../data/batches.ts';
import { type Dataset, allocateBatch, type Split, DataError } from '../data/dataset.ts';
import { lengthsOf } from '../data/lengths.ts';
import type { Vectors } from '../data/vectors/vectors.ts';
import type { Run } from '../plan/plan.ts';
import { rowOf, type Registry } from '../registry/rows.ts';
import { loadTensorFlow } from '../tensorflow/load.ts';
import type { Metrics, TrainerEvent } from '../record/events.ts';
import type { Durability } from '../system/durability.ts';
import type { StopReason } from './protocol.ts';
import type { CountedLines, MetricsJournal } from '../record/metrics-journal.ts';
import { writeCheckpoint, type CheckpointName, type TrainerState } from './checkpoint.ts';
import { buildLearner, type Learner } from './learner.ts';
import { findResumePoint } from './resume-point.ts';
import type { Stopwatch } from './stopwatch.ts';
import type { Tally } from './tally.ts';
import { isClassTask, isPerStep, targetSize, type Task } from '../data/task.ts';
import { withTargetsInOwnUnit } from '../data/preprocessing.ts';
import { misfitIssue } from '../plan/starting-weights.ts';
import { chosenVariables } from '../plan/variable-names.ts';
import { digestOfFile } from '../record/digests.ts';
import { readTensors, type StoredTensor } from '../system/safetensors.ts';
import { variablesIn } from '../record/starting-weights.ts';

/** What a training needs from outside: all of it is passed in, so that it runs the same in a child and in a test. */
export interface Training {
  readonly run: Run;
  /** The built-in rows and those of the user's config. */
  readonly registry: Registry;
  /** The step to pause at with a checkpoint; training continues only if the sweep decides so. null: none. */
  readonly pauseAt: number | null;
  readonly dataset: Dataset;
  /** The kernel that the plan was frozen with; undefined where there was no choice. */
  readonly kernel: string | undefined;
  /** The pretrained vectors of the model's tokens, if it reads some. */
  readonly vectors?: Vectors | undefined;
  /** The file with the weights that the run starts from. */
  readonly startFile?: string | undefined;
  /** Where relative paths of the dataset start. */
  readonly baseDirectory: string;
  /** Where checkpoints lie. */
  readonly directory: string;
  readonly emit: (event: TrainerEvent) => void;
  /** Asked between steps: a reason ends the training after a checkpoint. */
  readonly stopRequested: () => StopReason | undefined;
  /** What is recorded of the metrics so far. */
  readonly metrics: Pick<MetricsJournal, 'begins' | 'linesUpTo' | 'goOnAfter'>;
  /** Returns the lines of the recorded metrics, and waits until they are on disk, before a checkpoint that relies on them. */
  readonly flush: (durability?: Durability) => CountedLines;
  /** Waits until everything is on disk, before the training is reported as ended. */
  readonly settle: () => Promise<void>;
  readonly clock: Stopwatch;
}

/** A training that has begun: the network, where it is, and how it speaks. */
export interface Session extends Training {
  readonly learner: Learner;
  readonly order: BatchIndices;
  /** Whether a step is the first of a pass over the training part. */
  readonly beginsPass: (step: number) => boolean;
  readonly totalSteps: number;
  readonly startedAt: number;
  /** Changes with every step. */
  state: TrainerState;
  /** The last value of each metric. */
  latest: Metrics;
  /** The step of the checkpoint that training resumes from; 0 for none. */
  readonly fromStep: number;
  /** The last evaluation of the validation part by this process. */
  validated: { readonly step: number; readonly tally: Tally } | undefined;
}

/** Builds the network with weights drawn from the run's seed, and resumes from the newest usable checkpoint. */
export const beginSession = async (training: Training): Promise<Session> => {
  const { run, registry, kernel, clock } = training;
  const lossRow = run.config.loss && rowOf(registry.loss, run.config.loss);
  const dataset = lossRow?.ownUnit ? inOwnUnit(training.dataset) : training.dataset;
  const { train } = run.config;
  clock.enter('start');
  const backend = await loadTensorFlow();
  const lengths = train.bucketing ? lengthsOf(dataset.shape, dataset.train) : undefined;
  const plan = { ...train, size: dataset.train.size, seed: run.seed, lengths, streams: train.stateful };
  const totalSteps = countSteps(train, plan);
  const learner = await buildLearner(run, dataset.shape, {
    registry,
    totalSteps,
    kernel,
    vectors: training.vectors,
    clock,
    classCounts: () => countClasses(dataset),
  });
  const { checkpoint, lines, warnings } = findResumePoint(training, {
    all: learner.tensors(),
    weights: learner.weights(),
  });
  for (const message of warnings) training.emit({ type: 'record-distrusted', time: Date.now(), message });
  training.metrics.goOnAfter(lines);
  if (checkpoint) learner.restore(checkpoint.tensors);
  else if (run.start) learner.restore(startingTensors(training, learner));
  const state = checkpoint?.state ?? { step: 0, best: null };
  training.emit({
    type: 'training-started',
    time: Date.now(),
    backend: `${backend.name} ${backend.version}`,
    kernel: learner.kernel,
    parameterCount: learner.parameterCount,
    totalSteps,
    fromStep: state.step,
  });
  return {
    ...training,
    dataset,
    learner,
    order: batchIndices(plan),
    beginsPass: (step) => (step - 1) % stepsPerEpoch(plan) === 0,
    totalSteps,
    startedAt: performance.now(),
    state,
    latest: {},
    fromStep: state.step,
    validated: undefined,
  };
};

/** Reports the metrics of the step that the session is at. */
export const report = (session: Session, type: 'step-logged' | 'evaluated', metrics: Metrics): void => {
  const { step } = session.state;
  session.latest = { ...session.latest, ...metrics };
  const before = session.clock.enter('recording');
  const examples = step * examplesPerStep(session.run.config.train);
  if (type === 'step-logged') session.emit({ type, time: Date.now(), step, examples, metrics });
  else session.emit({ type, time: Date.now(), step, metrics });
  session.clock.enter(before);
};

/** Writes a checkpoint: everything needed to resume, or for `best` the weights alone. */
export const saveCheckpoint = (
  session: Session,
  name: CheckpointName,
  durability: Durability = 'at-once',
): void => {
  const before = session.clock.enter('recording');
  const metrics = session.flush(durability);
  const tensors = name === 'best' ? session.learner.weights() : session.learner.tensors();
  const label = { state: session.state, run: session.run.id, metrics };
  writeCheckpoint(session.directory, { name, tensors, label, durability });
  session.emit({ type: 'checkpoint-written', time: Date.now(), step: session.state.step });
  session.clock.enter(before);
};

const readAtOnce = 256;

/** How often each class is a target in the training part. */
const countClasses = ({ shape, train }: Pick<Dataset, 'shape' | 'train'>): Float64Array => {
  const { task, steps } = shape;
  const counts = new Float64Array(isClassTask(task) ? task.classes : 0);
  const batch = allocateBatch(shape, Math.min(readAtOnce, train.size));
  const each = isPerStep(task) ? steps : 1;
  for (let from = 0; from < train.size; from += readAtOnce) {
    const size = Math.min(readAtOnce, train.size - from);
    train.read(
      Int32Array.from({ length: size }, (_, at) => from + at),
      batch,
    );
    for (let row = 0; row < size; row++) {
      const counted = each === 1 ? 1 : (batch.lengths[row] as number);
      for (let step = 0; step < counted; step++) {
        const target = batch.targets[row * each + step] as number;
        counts[target] = (counts[target] as number) + 1;
      }
    }
  }
  return counts;
};

/** A dataset with its targets in their own unit, for losses that need them so. */
export const inOwnUnit = (dataset: Dataset): Dataset => {
  const { shape, train, validation, test, preprocessing } = dataset;
  const unscale = (split: Split) => unscaled(split, shape.task, shape.steps);
  return {
    ...dataset,
    ...(preprocessing && { preprocessing: withTargetsInOwnUnit(preprocessing) }),
    train: unscale(train),
    ...(validation && { validation: unscale(validation) }),
    test: unscale(test),
  };
};

const unscaled = (split: Split, task: Task, steps: number): Split => {
  const { scaling, ...rest } = split;
  if (!scaling) return split;
  const width = (isPerStep(task) ? steps : 1) * targetSize(task);
  const targetCount = task.kind === 'forecast' ? task.targets.length : targetSize(task);
  return {
    ...rest,
    read: (indices, batch) => {
      split.read(indices, batch);
      for (let row = 0; row < indices.length; row++) {
        const { mean, factor } = scaling(indices[row] as number);
        for (let at = 0; at < width; at++) {
          const scaled = batch.targets[row * width + at] as number;
          const target = at % targetCount;
          batch.targets[row * width + at] = scaled / (factor[target] as number) + (mean[target] as number);
        }
      }
    },
  };
};

/**
 * The weights that a run starts from, by their names in a checkpoint, without the variables that stay as they were drawn.
 * Throws `DataError` if the file is not the one that the run was planned with, or does not fit the network.
 */
const startingTensors = (
  { run, startFile = '' }: { readonly run: Run; readonly startFile?: string | undefined },
  learner: Pick<Learner, 'weights'>,
): ReadonlyMap<string, StoredTensor> => {
  const { from, reinitialize } = run.config.train;
  const name = run.start?.run === undefined ? (from ?? '') : `run ${run.start.run}`;
  const digest = digestOfFile(startFile);
  if (digest === undefined)
    throw new DataError(`The weights of ${name}, which this run starts from, no longer exist: ${startFile}.`);
  if (digest.sha256 !== run.start?.sha256)
    throw new DataError(
      `The weights of ${name} have changed since this run was planned. Run the spec again to start from them as they are now.`,
    );
  const given = variablesIn(readTensors(startFile).tensors);
  const network = [...learner.weights()].map(([key, { shape }]) => ({
    name: key.slice('weights/'.length),
    shape,
  }));
  const misfit = misfitIssue(network, { name, variables: given }, reinitialize);
  if (misfit) throw new DataError(`${misfit.message} ${misfit.help ?? ''}`);
  const names = network.map((one) => one.name);
  const drawn = chosenVariables(reinitialize, names);
  return new Map(
    given.flatMap(({ name: one, tensor }) =>
      names.includes(one) && !drawn.has(one) ? [[`weights/${one}`, tensor] as const] : [],
    ),
  );
};
