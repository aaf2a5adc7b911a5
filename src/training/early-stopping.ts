import type { EarlyStopping } from '../language/config.ts';
import type { Best, Watched } from '../record/kept-weights.ts';

/** What makes a checkpoint the best where a spec names no metric. */
export const lowestLoss: Watched = { metric: 'val/loss', goal: 'minimize', minDelta: 0 };

/** Whether patience is over at `step`, with an evaluation each `evaluateEvery` steps. */
export const patienceIsOver = (
  { patience }: EarlyStopping,
  best: Best,
  at: { readonly step: number; readonly evaluateEvery: number },
): boolean => at.step - (best?.step ?? 0) >= patience * at.evaluateEvery;
