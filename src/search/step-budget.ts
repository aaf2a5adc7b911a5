import type { Pruning } from '../language/config.ts';

/** Training steps that a sweep with pruning may cost. */
export interface StepBudget {
  /** With every result such that most runs go on. */
  readonly most: number;
  /** With results in no particular order; null where that hangs on the results alone. */
  readonly usual: number | null;
  /** Without pruning. */
  readonly unpruned: number;
}

/** `steps`: for each run, the rising steps at which it is held against others, the last being its end. */
export const stepBudget = (steps: readonly (readonly number[])[], pruning: Pruning): StepBudget => {
  const unpruned = sum(steps.map((one) => one.at(-1) ?? 0));
  if (pruning.name === 'median') return { most: unpruned, usual: null, unpruned };
  const { reductionFactor } = pruning;
  const levels = Math.max(...steps.map((one) => one.length));
  let most = 0;
  let usual = 0;
  let mostRuns = steps.length;
  for (let level = 0; level < levels; level++) {
    const lengths = steps
      .filter((one) => level < one.length)
      .map((one) => (one[level] ?? 0) - (one[level - 1] ?? 0))
      .sort((a, b) => b - a);
    most += sum(lengths.slice(0, mostRuns));
    const usualRuns = Math.min(
      lengths.length,
      Math.max(1, Math.floor(steps.length / reductionFactor ** level)),
    );
    usual += (usualRuns * sum(lengths)) / Math.max(1, lengths.length);
    // Of the runs at a level the worst `reductionFactor - 1` never go on, however late the better ones come.
    mostRuns = Math.max(1, mostRuns - reductionFactor + 1);
  }
  return { most, usual: Math.round(usual), unpruned };
};

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
