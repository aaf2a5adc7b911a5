import { goalOf } from '../metrics/metrics.ts';
import { defaultPatience, type Schedule } from '../optimizers/common.ts';
import { improves, type Best } from '../record/kept-weights.ts';

/** Where the schedule `plateau` is: a part of the trainer's state, so that a resumed training continues with the same bits. */
export interface Plateau {
  /** How often the learning rate was multiplied by the factor. */
  readonly reductions: number;
  readonly best: Best;
  /** Evaluations without improvement since the last one with, or since the last reduction. */
  readonly waited: number;
  /** Evaluations that still do not count after a reduction. */
  readonly cooldown: number;
}

const start: Plateau = { reductions: 0, best: null, waited: 0, cooldown: 0 };

/** The state after an evaluation, by the rules of Keras' `ReduceLROnPlateau`. */
export const afterEvaluation = (
  plateau: Plateau = start,
  { patience, cooldown, minDelta }: Schedule,
  { metric, value, step }: { readonly metric: string; readonly value: number; readonly step: number },
): Plateau => {
  const resting = Math.max(0, plateau.cooldown - 1);
  const watched = { metric, goal: goalOf(metric) ?? 'minimize', minDelta: minDelta ?? 0 } as const;
  if (improves(watched, value, plateau.best))
    return { ...plateau, best: { value, step }, waited: 0, cooldown: resting };
  if (resting > 0) return { ...plateau, waited: 0, cooldown: resting };
  const waited = (plateau.cooldown > 0 ? 0 : plateau.waited) + 1;
  return waited < (patience ?? defaultPatience)
    ? { ...plateau, waited, cooldown: 0 }
    : { ...plateau, reductions: plateau.reductions + 1, waited: 0, cooldown: cooldown ?? 0 };
};
