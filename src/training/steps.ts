import { allocateBatch, readBatch, type Batch } from '../data/dataset.ts';
import { scheduleOf, watchedMetric } from '../optimizers/common.ts';
import { cutToLongest } from '../data/lengths.ts';
import type { Metrics } from '../record/events.ts';
import { improves, patienceIsOver, type Watched } from '../record/kept-weights.ts';
import type { StopReason } from './protocol.ts';
import { stepCheckpoint } from './checkpoint.ts';
import { evaluate } from './evaluate.ts';
import { lossWeight, createTally, type Tally } from './tally.ts';
import { afterEvaluation } from './plateau.ts';
import { report, saveCheckpoint, type Session } from './session.ts';

/** Why the steps ended. */
export type StepsEnd =
  | { readonly kind: 'all-done' }
  /** Early stopping: no improvement for as long as the spec allows. */
  | { readonly kind: 'no-improvement' }
  | { readonly kind: 'diverged'; readonly loss: number }
  /** The run has reached the step at which the sweep decides whether it continues. */
  | { readonly kind: 'paused' }
  | { readonly kind: 'stopped'; readonly reason: StopReason };

/** A checkpoint this old is replaced even where the spec names no interval, so that a crash costs little. */
const checkpointAtLeastEveryMs = 30_000;

/** The event loop must turn to hear a stop, but a turn each step would slow small networks. */
const turnEveryMs = 20;

/** Steps from where the session is to the end: update, display, evaluate, checkpoint, listen. */
export const takeSteps = async (session: Session): Promise<StepsEnd> => {
  const { dataset, totalSteps, clock } = session;
  const { displayEvery, checkpointEvery, keepCheckpoints, batchSize, stopOn } = session.run.config.train;
  const batch = allocateBatch(dataset.shape, batchSize, dataset.train);
  let checkpointAt = performance.now();
  let turnAt = performance.now();

  for (let step = session.state.step + 1; step <= totalSteps; step++) {
    if (outOfPatience(session)) return { kind: 'no-improvement' };
    if (atPause(session)) {
      // What the sweep decides by.
      await validateNow(session);
      return { kind: 'paused' };
    }

    // The displayed loss and accuracy are those of the batch before it.
    clock.enter('data');
    const displayed = step % displayEvery === 0;
    const reductions = session.state.plateau?.reductions ?? 0;
    const { loss, tally } = takeStep(session, batch, { step, displayed, reductions });
    const rate = session.learner.changingRate({ step, reductions });
    const recorded = { 'train/loss': loss, ...(rate !== undefined && { 'train/learningRate': rate }) };
    clock.enter('recording');
    session.state = { ...session.state, step };
    if (!Number.isFinite(loss) || loss > (stopOn?.lossAbove ?? Infinity)) {
      report(session, 'step-logged', recorded);
      return { kind: 'diverged', loss };
    }
    if (tally) report(session, 'step-logged', { ...tally.metrics(), ...recorded });

    await validate(session);

    const due =
      checkpointEvery === null
        ? performance.now() - checkpointAt > checkpointAtLeastEveryMs
        : step % checkpointEvery === 0;
    if (due && keepCheckpoints === 'all') saveCheckpoint(session, stepCheckpoint(step));
    if (due && step < totalSteps) {
      saveCheckpoint(session, 'last');
      checkpointAt = performance.now();
    }

    clock.enter('waiting');
    if (performance.now() - turnAt > turnEveryMs) {
      await new Promise(setImmediate);
      turnAt = performance.now();
    }
    const reason = session.stopRequested();
    if (reason) return { kind: 'stopped', reason };
  }
  return { kind: 'all-done' };
};

/** One update, on one batch or by the gradients of several; with the tally of their outputs if it is displayed. */
const takeStep = (
  session: Session,
  batch: Batch,
  {
    step,
    displayed,
    reductions,
  }: { readonly step: number; readonly displayed: boolean; readonly reductions: number },
): { readonly loss: number; readonly tally: Tally | undefined } => {
  const { learner, dataset, order, clock, run } = session;
  const { train, shape } = dataset;
  const { batchSize, accumulate = 1 } = run.config.train;
  const tally = displayed ? createTally(shape, learner.loss, { part: 'train', split: train }) : undefined;
  const examples = order(step);
  if (session.beginsPass(step)) learner.beginPass();
  if (accumulate === 1) {
    readNext(session, examples, batch);
    const { loss, outputs } = learner.update(batch, step, displayed, reductions);
    if (outputs) tally?.add({ batch, outputs, loss, indices: examples });
    return { loss, tally };
  }
  let sum = 0;
  let total = 0;
  for (let from = 0; from < examples.length; from += batchSize) {
    clock.enter('data');
    const indices = examples.subarray(from, from + batchSize);
    readNext(session, indices, batch);
    // By what each batch counts, so that the sum is that of one large batch.
    const times = lossWeight(batch, shape, learner.loss.classWeights);
    const at = from / batchSize;
    const draw = (step - 1) * accumulate + at + 1;
    const { loss, outputs } = learner.addGradient(batch, { draw, times, at, wantOutputs: displayed });
    if (outputs) tally?.add({ batch, outputs, loss, indices });
    sum += loss * times;
    total += times;
  }
  // A batch whose examples all have the weight 0 changes nothing.
  total = Math.max(total, 1e-30);
  learner.updateBySum(step, { total, reductions });
  return { loss: sum / total, tally };
};

/** Evaluates on the validation split when it is time, keeps the weights of the best evaluation, and may end a plateau. */
const validate = async (session: Session): Promise<void> => {
  const { evaluateEvery, earlyStopping, keepCheckpoints } = session.run.config.train;
  const { step } = session.state;
  if (evaluateEvery === null || step % evaluateEvery !== 0) return;
  const metrics = await reportValidation(session);
  if (!metrics) return;
  reduceOnPlateau(session, metrics);
  const watched = earlyStopping ?? (keepCheckpoints === 'best' ? lowestLoss : undefined);
  if (!watched) return;
  const value = metrics[watched.metric] ?? Number.NaN;
  if (improves(watched, value, session.state.best)) {
    session.state = { ...session.state, best: { value, step } };
    saveCheckpoint(session, 'best');
  }
};

/** Before the best weights are kept, so that each checkpoint has the state after its evaluation. */
const reduceOnPlateau = (session: Session, metrics: Metrics): void => {
  const { state, run } = session;
  const { optimizer, train } = run.config;
  const schedule = scheduleOf(optimizer);
  if (schedule?.name !== 'plateau') return;
  const metric = watchedMetric(schedule, train);
  const value = metrics[metric] ?? Number.NaN;
  session.state = {
    ...state,
    plateau: afterEvaluation(state.plateau, schedule, { metric, value, step: state.step }),
  };
};

/** Evaluates the validation part with the weights of this step, unless that is done. */
export const validateNow = async (session: Session): Promise<Tally | undefined> => {
  const { step } = session.state;
  if (session.validated?.step !== step) await reportValidation(session);
  return session.validated?.tally;
};

const reportValidation = async (session: Session): Promise<Metrics | undefined> => {
  const { validation } = session.dataset;
  if (!validation) return undefined;
  const { whole: tally } = await evaluate(session, { split: validation, part: 'val' });
  const metrics = tally.metrics();
  report(session, 'evaluated', metrics);
  session.validated = { step: session.state.step, tally };
  return metrics;
};

const atPause = ({ pauseAt, state: { step } }: Session): boolean => pauseAt !== null && step >= pauseAt;

/** Decided from the state alone, so that a training resumed after its last step ends where it would have ended. */
const outOfPatience = ({ state, run }: Session): boolean => {
  const { evaluateEvery, earlyStopping } = run.config.train;
  if (evaluateEvery === null || !earlyStopping) return false;
  return patienceIsOver(earlyStopping, state.best, { step: state.step, evaluateEvery });
};

/** What makes a checkpoint the best where a spec names no metric. */
const lowestLoss: Watched = { metric: 'val/loss', goal: 'minimize', minDelta: 0 };

/** Reads examples of the training part into a batch. */
const readNext = ({ run, dataset }: Session, indices: Int32Array, batch: Batch): void => {
  readBatch(dataset.train, indices, batch);
  if (run.config.train.bucketing) cutToLongest(batch, dataset.shape);
};
