import { examplesPerStep, type BatchIndices } from '../data/batches.ts';
import type { Dataset } from '../data/dataset.ts';
import type { Vectors } from '../data/vectors/vectors.ts';
import type { Run } from '../plan/plan.ts';
import type { Metrics, TrainerEvent } from '../record/events.ts';
import type { CountedLines, MetricsJournal } from '../record/metrics-journal.ts';
import type { Registry } from '../registry/rows.ts';
import type { Durability } from '../system/durability.ts';
import { writeCheckpoint, type CheckpointName, type TrainerState } from './checkpoint.ts';
import type { Learner } from './learner.ts';
import type { StopReason } from './protocol.ts';
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
