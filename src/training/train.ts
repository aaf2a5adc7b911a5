import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { jsonText } from '../system/json-text.ts';
import type { OutcomeReason, RunOutcome } from '../record/events.ts';
import { writeJson, writeWhole } from '../system/files.ts';
import { fileNames, modelFileNames, type EvaluationFile } from '../record/run-files.ts';
import { writeTensors } from '../record/safetensors.ts';
import { checkpointPath, readCheckpoint, storeTensors } from './checkpoint.ts';
import { evaluate, firstExamples } from './evaluate.ts';
import { collectExamples } from './examples.ts';
import { beginSession, report, saveCheckpoint, type Session, type Training } from './session.ts';
import { takeSteps, type StepsEnd } from './steps.ts';
import { named } from './tally.ts';

/**
 * One training: begin (or go on), step to the end, evaluate on the test split, keep the weights. Every number depends
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
    case 'no-improvement': {
      const best = session.state.best;
      restoreBest(session);
      return await complete(
        session,
        `stopped early at step ${step}: no improvement since step ${best?.step ?? 0}`,
      );
    }
    case 'all-done':
      restoreBest(session);
      return await complete(session, `all ${step} steps done`);
  }
};

const complete = async (session: Session, message: string): Promise<RunOutcome> => {
  const reason = session.stopRequested();
  if (reason) {
    saveCheckpoint(session, 'last');
    return outcomeOf(session, reason, 'stopped before the end evaluation; a checkpoint is kept');
  }
  await evaluateTest(session);
  session.clock.enter('recording');
  keepModel(session);
  rmSync(checkpointPath(session.directory, 'last'), { force: true });
  return outcomeOf(session, 'completed', message);
};

const outcomeOf = (session: Session, reason: OutcomeReason, message: string): RunOutcome => ({
  reason,
  message,
  step: session.state.step,
  elapsedMs: Math.round(performance.now() - session.startedAt),
  metrics: session.latest,
});

/** Takes the weights of the best evaluation, where the spec asks for them. */
const restoreBest = (session: Session): void => {
  if (!session.run.config.train.earlyStopping?.restoreBest) return;
  const best = readCheckpoint(session.directory, { name: 'best', tensors: session.learner.weights() });
  if (best) session.learner.restore(best.tensors);
};

const evaluateTest = async (session: Session): Promise<void> => {
  const { dataset, directory } = session;
  const examples = collectExamples(dataset.shape, dataset.test);
  const { whole: tally, first } = await evaluate(session, dataset.test, examples.add);
  const metrics = named('test', { ...tally.metrics(), ...tally.detail() });
  const { task } = dataset.shape;
  if (task.kind === 'classification' && dataset.test.size > firstExamples) {
    const { accuracy } = first.metrics();
    report(session, 'evaluated', {
      ...metrics,
      ...(accuracy !== undefined && { 'test/accuracyFirst128': accuracy }),
    });
  } else {
    report(session, 'evaluated', metrics);
  }
  const confusion = tally.confusion();
  const scores = tally.scores();
  const labels = task.kind === 'regression' ? undefined : task.labels;
  const evaluation: EvaluationFile = {
    split: 'test',
    examples: dataset.test.size,
    ...(labels && { labels }),
    ...(scores && { scores }),
    ...(confusion && { confusion }),
    ...(task.kind === 'classification' && {
      predictions: examples.predictions(),
      ...(dataset.test.image && { images: examples.images() }),
    }),
  };
  writeWhole(join(directory, fileNames.evaluation), jsonText(evaluation), 'later');
};

/** Keeps the trained weights with what is needed to build the network around them again. */
const keepModel = ({ directory, learner, run, dataset }: Session): void => {
  const folder = join(directory, fileNames.model);
  const weights = { tensors: storeTensors(learner.weights()), metadata: { run: run.id } };
  writeTensors(join(folder, modelFileNames.weights), weights, 'later');
  const model = { model: run.config.model, shape: dataset.shape, versions: run.versions };
  writeJson(join(folder, modelFileNames.model), model, 'later');
};
