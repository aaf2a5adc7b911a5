import { allocateBatch, readBatch } from '../data/dataset.ts';
import type { Metrics } from '../record/events.ts';
import { improves, type Best, type Watched } from '../record/kept-weights.ts';
import type { StopReason } from './protocol.ts';
import { stepCheckpoint } from './checkpoint.ts';
import { evaluate } from './evaluate.ts';
import { report, saveCheckpoint, type Session } from './session.ts';
import { createTally, type Tally } from './tally.ts';
import type { EarlyStopping } from '../language/config.ts';

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
  const { learner, dataset, order, totalSteps, clock } = session;
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

    // One update; the displayed loss and accuracy are those of the batch before it.
    clock.enter('data');
    const indices = order(step);
    readBatch(dataset.train, indices, batch);
    const displayed = step % displayEvery === 0;
    const { loss, outputs } = learner.update(batch, step, displayed);
    clock.enter('recording');
    session.state = { ...session.state, step };
    if (!Number.isFinite(loss) || loss > (stopOn?.lossAbove ?? Infinity)) {
      report(session, 'step-logged', { 'train/loss': loss });
      return { kind: 'diverged', loss };
    }
    if (outputs) {
      const tally = createTally(dataset.shape, learner.loss, { part: 'train', split: dataset.train });
      tally.add({ batch, outputs, loss, indices });
      report(session, 'step-logged', { ...tally.metrics(), 'train/loss': loss });
    }

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

/** Evaluates on the validation split when it is time, and keeps the weights of the best evaluation. */
const validate = async (session: Session): Promise<void> => {
  const { evaluateEvery, earlyStopping, keepCheckpoints } = session.run.config.train;
  const { step } = session.state;
  if (evaluateEvery === null || step % evaluateEvery !== 0) return;
  const metrics = await reportValidation(session);
  const watched = earlyStopping ?? (keepCheckpoints === 'best' ? lowestLoss : undefined);
  if (!watched || !metrics) return;
  const value = metrics[watched.metric] ?? Number.NaN;
  if (improves(watched, value, session.state.best)) {
    session.state = { ...session.state, best: { value, step } };
    saveCheckpoint(session, 'best');
  }
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

/** Told from the state alone, so that a training resumed after its last step ends where it would have ended. */
const outOfPatience = ({ state, run }: Session): boolean => {
  const { evaluateEvery, earlyStopping } = run.config.train;
  if (evaluateEvery === null || !earlyStopping) return false;
  return patienceIsOver(earlyStopping, state.best, { step: state.step, evaluateEvery });
};

/** What makes a checkpoint the best where a spec names no metric. */
const lowestLoss: Watched = { metric: 'val/loss', goal: 'minimize', minDelta: 0 };

/** Whether patience is over at `step`, with an evaluation each `evaluateEvery` steps. */
export const patienceIsOver = (
  { patience }: EarlyStopping,
  best: Best,
  at: { readonly step: number; readonly evaluateEvery: number },
): boolean => at.step - (best?.step ?? 0) >= patience * at.evaluateEvery;
