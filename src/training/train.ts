import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { batchIndices, stepsPerEpoch, totalSteps as countSteps } from '../data/batches.ts';
import { allocateBatch, DataError, type Dataset, type Split } from '../data/dataset.ts';
import { lengthsOf } from '../data/lengths.ts';
import { withTargetsInOwnUnit } from '../data/preprocessing.ts';
import { isClassTask, isPerStep, labelsOf, targetSize, type Task } from '../data/task.ts';
import type { Run } from '../plan/plan.ts';
import { misfitIssue } from '../plan/starting-weights.ts';
import { chosenVariables } from '../plan/variable-names.ts';
import { digestOfFile } from '../record/digests.ts';
import type { Metrics, OutcomeReason, RunOutcome } from '../record/events.ts';
import { valuesAt } from '../record/kept-weights.ts';
import { readMetrics } from '../record/read-metrics.ts';
import { fileNames, type EvaluationFile, type PartEvaluation } from '../record/run-files.ts';
import { variablesIn } from '../record/starting-weights.ts';
import { rowOf } from '../registry/rows.ts';
import type { Durability } from '../system/durability.ts';
import { writeWhole } from '../system/files.ts';
import { jsonText } from '../system/json.ts';
import { readTensors, type StoredTensor } from '../system/safetensors.ts';
import { loadTensorFlow } from '../tensorflow/load.ts';
import { checkpointPath, readCheckpoint } from './checkpoint.ts';
import { evaluate } from './evaluate.ts';
import { collectExamples } from './examples.ts';
import { collectForecasts } from './forecasts.ts';
import { keepModel } from './keep-model.ts';
import { buildLearner, type Learner } from './learner.ts';
import type { Predictions } from './predictions.ts';
import { findResumePoint } from './resume-point.ts';
import { report, saveCheckpoint, type Session, type Training } from './session.ts';
import { takeSteps, validateNow, type StepsEnd } from './steps.ts';
import type { Tally } from './tally.ts';

/**
 * One training: start (or resume), step to the end, evaluate the kept weights on the validation and test parts. Every number depends
 * on the run alone: draws are keyed by seed and step, so neither a resumption nor another run changes a bit.
 */
export const train = async (training: Training): Promise<RunOutcome> => {
  const session = await beginSession(training);
  try {
    const end = await takeSteps(session);
    const outcome = await finish(session, end);
    training.clock.enter('waiting');
    await training.settle();
    training.clock.enter('recording');
    training.emit({ type: 'training-ended', time: Date.now(), outcome });
    return outcome;
  } finally {
    session.learner.dispose();
  }
};

/** Builds the network with weights drawn from the run's seed, and resumes from the newest usable checkpoint. */
const beginSession = async (training: Training): Promise<Session> => {
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

const finish = async (session: Session, end: StepsEnd): Promise<RunOutcome> => {
  const { step } = session.state;
  switch (end.kind) {
    case 'diverged': {
      const bound = session.run.config.train.stopOn?.lossAbove;
      const why = Number.isFinite(end.loss) ? `, above the bound of ${bound ?? Infinity} (stopOn)` : '';
      return outcomeOf(session, 'diverged', `the loss became ${end.loss} at step ${step}${why}`);
    }
    case 'stopped':
      saveCheckpoint(session, 'last');
      return outcomeOf(
        session,
        end.reason,
        `stopped after step ${step} of ${session.totalSteps}; a checkpoint is kept`,
      );
    case 'paused':
      saveCheckpoint(session, 'last');
      return outcomeOf(
        session,
        'pruned',
        `paused after step ${step} of ${session.totalSteps}; a checkpoint is kept`,
      );
    case 'no-improvement':
      return await complete(
        session,
        end.kind,
        `stopped early at step ${step}: no improvement since step ${session.state.best?.step ?? 0}`,
      );
    case 'all-done':
      // What a longer training continues from; the end evaluation is no part of it.
      if (session.run.config.train.keepCheckpoints !== 'none')
        saveCheckpoint(session, 'last', atTheEnd(session));
      return await complete(session, end.kind, `all ${step} steps done`);
  }
};

/**
 * Where no earlier checkpoint is replaced, the one after the last step goes to the disk with the other files of the end: waiting for
 * each alone takes longer, and a power cut in between costs no more than one shortly before.
 */
const atTheEnd = ({ directory }: Session): Durability =>
  existsSync(checkpointPath(directory, 'last')) ? 'at-once' : 'later';

/** Ends after which a run is done. */
type FinalEnd = Extract<StepsEnd['kind'], 'all-done' | 'no-improvement'>;

const complete = async (session: Session, end: FinalEnd, message: string): Promise<RunOutcome> => {
  const reason = session.stopRequested();
  if (reason) {
    saveCheckpoint(session, 'last');
    return outcomeOf(session, reason, 'stopped before the end evaluation; a checkpoint is kept');
  }
  const { step } = session.state;
  const keptStep = restoreBest(session);
  const validation = keptStep === step ? await validateNow(session) : await validateRestored(session);
  const test = await evaluateTest(session, validation);
  session.clock.enter('recording');
  const metrics = {
    ...(await trainedValues(session, keptStep)),
    ...validation?.metrics(),
    ...test,
  };
  await keepModel(session, metrics);
  removeCheckpoints(session, end);
  const kept = keptStep === step ? message : `${message}; the weights of step ${keptStep} are kept`;
  return { ...outcomeOf(session, 'completed', kept), keptStep, metrics };
};

/** A training that early stopping has ended is continued by none. */
const removeCheckpoints = ({ directory, run }: Session, end: FinalEnd): void => {
  if (run.config.train.keepCheckpoints === 'none')
    rmSync(join(directory, fileNames.checkpoints), { recursive: true, force: true });
  else if (end === 'no-improvement') rmSync(checkpointPath(directory, 'last'), { force: true });
};

const outcomeOf = (session: Session, reason: OutcomeReason, message: string): RunOutcome => ({
  reason,
  message,
  step: session.state.step,
  elapsedMs: Math.round(performance.now() - session.startedAt),
  metrics: session.latest,
});

/** Restores the weights of the best evaluation where the spec asks for them. Returns the step of the weights there are. */
const restoreBest = (session: Session): number => {
  const { state, run, directory, learner } = session;
  if (!run.config.train.earlyStopping?.restoreBest || !state.best) return state.step;
  const best = readCheckpoint(directory, { name: 'best', tensors: learner.weights(), run: run.id });
  if (!best || 'unusable' in best || best.state.step !== state.best.step) {
    const why = best && 'unusable' in best ? best.unusable : 'was removed or replaced';
    throw new Error(`The checkpoint best ${why}. Train this run again with the option --retry-failed.`);
  }
  learner.restore(best.tensors);
  return best.state.step;
};

/** Evaluates the validation part with restored weights. Their step has a point on the curves, the last one gets none. */
const validateRestored = async (session: Session): Promise<Tally | undefined> => {
  const { validation } = session.dataset;
  return validation && (await evaluate(session, { split: validation, part: 'val' })).whole;
};

/** The metrics of the last minibatch recorded up to a step, by any process. */
const trainedValues = async (session: Session, upTo: number): Promise<Metrics> => {
  const { latest, fromStep, state, directory } = session;
  const isWhole = fromStep === 0 && upTo === state.step;
  if (!isWhole) session.flush();
  const values = isWhole ? latest : { ...latest, ...valuesAt((await readMetrics(directory)).series, upTo) };
  return Object.fromEntries(Object.entries(values).filter(([metric]) => metric.startsWith('train/')));
};

const evaluateTest = async (session: Session, validation: Tally | undefined): Promise<Metrics> => {
  const { dataset, directory } = session;
  const examples = collectExamples(dataset.shape, dataset.test);
  const forecasts = collectForecasts(dataset.shape, dataset.test, session.learner.loss);
  const most = session.run.config.train.predictions ?? 0;
  const predictions = most > 0 ? await predictionsOf(session, most) : undefined;
  const { whole: tally, first } = await evaluate(
    session,
    { split: dataset.test, part: 'test' },
    (indices, batch, outputs) => {
      // Their tasks carry no state: the batches are in the order of the split.
      const from = indices[0] ?? 0;
      examples.add(from, batch, outputs);
      forecasts.add(from, batch, outputs);
      predictions?.add(indices, batch, outputs);
    },
  );
  const { task } = dataset.shape;
  const accuracy = first.metrics()['test/accuracy'];
  const hasFirst = session.run.config.train.accuracyFirst128 === true;
  const metrics: Metrics = {
    ...tally.metrics(),
    ...(hasFirst && accuracy !== undefined && { 'test/accuracyFirst128': accuracy }),
  };
  report(session, 'evaluated', metrics);
  const labels = labelsOf(task);
  const evaluation: EvaluationFile = {
    split: 'test',
    ...(labels && { labels }),
    ...partEvaluation(dataset.test, tally),
    ...(dataset.validation && validation && { validation: partEvaluation(dataset.validation, validation) }),
    ...(task.kind === 'classification' && {
      predictions: examples.predictions(),
      ...(dataset.test.image && { images: examples.images() }),
    }),
    ...(task.kind === 'forecast' && forecasts.evaluation()),
  };
  writeWhole(join(directory, fileNames.evaluation), jsonText(evaluation), 'later');
  if (predictions) writeWhole(join(directory, fileNames.predictions), predictions.parquet(), 'later');
  return metrics;
};

/** What writes Parquet is loaded only for runs that ask for it. */
const predictionsOf = async ({ dataset, learner }: Session, most: number): Promise<Predictions> => {
  const { collectPredictions } = await import('./predictions.ts');
  return collectPredictions(dataset.shape, dataset.test, { loss: learner.loss, most });
};

const partEvaluation = ({ size, forecast }: Split, tally: Tally): PartEvaluation => {
  const scores = tally.scores();
  const confusion = tally.confusion();
  const calibration = tally.calibration();
  return {
    examples: size,
    ...(scores && { scores }),
    ...(calibration && { calibration }),
    ...(confusion && { confusion }),
    ...(forecast && { baselines: forecast.baselines() }),
  };
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
const inOwnUnit = (dataset: Dataset): Dataset => {
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
