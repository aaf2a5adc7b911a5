import {
  batchIndices,
  examplesPerStep,
  stepsPerEpoch,
  totalSteps as countSteps,
  type BatchIndices,
} from '../data/batches.ts';
import type { Dataset } from '../data/dataset.ts';
import { lengthsOf } from '../data/lengths.ts';
import type { Vectors } from '../data/vectors/vectors.ts';
import type { Run } from '../plan/plan.ts';
import { rowOf, type Registry } from '../registry/rows.ts';
import { loadTensorFlow } from '../tensorflow/load.ts';
import type { Metrics, TrainerEvent } from '../record/events.ts';
import type { StopReason } from './protocol.ts';
import type { CountedLines, MetricsJournal } from '../record/metrics-journal.ts';
import { writeCheckpoint, type CheckpointName, type TrainerState } from './checkpoint.ts';
import { buildLearner, type Learner } from './learner.ts';
import { countClasses } from './class-counts.ts';
import { inOwnUnit } from './own-unit.ts';
import { findResumePoint } from './resume-point.ts';
import { startingTensors } from './starting-tensors.ts';
import type { Stopwatch } from './stopwatch.ts';
import type { Tally } from './tally.ts';

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
  /** Waits until recorded metrics are on disk, before a checkpoint that relies on them. Returns their lines. */
  readonly flush: () => CountedLines;
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
export const saveCheckpoint = (session: Session, name: CheckpointName): void => {
  const before = session.clock.enter('recording');
  const metrics = session.flush();
  const tensors = name === 'best' ? session.learner.weights() : session.learner.tensors();
  const label = { state: session.state, run: session.run.id, metrics };
  writeCheckpoint(session.directory, { name, tensors, label });
  session.emit({ type: 'checkpoint-written', time: Date.now(), step: session.state.step });
  session.clock.enter(before);
};
