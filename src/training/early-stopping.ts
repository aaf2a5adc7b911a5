import type { EarlyStopping } from '../language/config.ts';
import type { TrainerState } from './checkpoint.ts';

type Best = TrainerState['best'];

/** What makes an evaluation the best. */
type Watched = Pick<EarlyStopping, 'metric' | 'goal' | 'minDelta'>;

/** The usual measure, where a spec names none. */
export const lowestLoss: Watched = { metric: 'val/loss', goal: 'minimize', minDelta: 0 };

/** Whether a value is better than the best so far; NaN never is. */
export const improves = ({ goal, minDelta }: Watched, value: number, best: Best): boolean => {
  if (Number.isNaN(value)) return false;
  if (best === null) return true;
  return goal === 'minimize' ? value < best.value - minDelta : value > best.value + minDelta;
};

/** Whether patience is over at `step`, with an evaluation each `evaluateEvery` steps. */
export const patienceIsOver = (
  { patience }: EarlyStopping,
  best: Best,
  at: { readonly step: number; readonly evaluateEvery: number },
): boolean => at.step - (best?.step ?? 0) >= patience * at.evaluateEvery;
