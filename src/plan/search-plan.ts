import { stepsOf } from './steps.ts';
import type { Diagnostic } from '../diagnostic/diagnostic.ts';
import { find, toJson } from '../language/located.ts';
import type { Pruning, TrainConfig } from '../language/config.ts';
import type { Search } from './plan.ts';
import type { Configuration } from './resolve-points.ts';
import type { JsonMap } from '../language/sections.ts';
import { coordinatesOf } from '../search/space.ts';
import type { Spec } from '../language/validate-spec.ts';

/** What the plan of a sweep that decides by results needs in order to continue; undefined for other sweeps. */
export const searchOf = (
  { sweep, document }: Spec,
  { configurations, points }: { readonly configurations: readonly Configuration[]; readonly points: number },
): Search | undefined => {
  const { method, pruning, lookahead } = sweep;
  if (method !== 'tpe' && !pruning) return undefined;
  const written = toJson(document.root) as JsonMap;
  const kept = ['version', 'name', 'dataset', 'model', 'optimizer', 'train', 'objective', 'sweep', 'seeds'];
  return {
    points,
    lookahead,
    pruning,
    sampler:
      method === 'tpe'
        ? {
            method,
            coordinates: configurations.map(({ point }) => coordinatesOf(sweep, point)),
            spec: Object.fromEntries(Object.entries(written).filter(([key]) => kept.includes(key))),
          }
        : null,
  };
};

/** The steps at which a run is held against others, rising; the last is its end. */
export const pruningSteps = (train: TrainConfig, pruning: Pruning | null): readonly number[] => {
  const end = stepsOf(train) ?? Infinity;
  const steps: number[] = [];
  if (pruning) {
    for (let step = pruning.minSteps; step < end;) {
      steps.push(step);
      step = pruning.name === 'asha' ? step * pruning.reductionFactor : step + pruning.everySteps;
    }
  }
  return [...steps, end];
};

/** Pruning counts in steps, so those of each run must be known. */
export const checkPruning = (
  { sweep, document }: Spec,
  configurations: readonly Configuration[],
): Diagnostic | undefined => {
  const { pruning } = sweep;
  const at = find(document.root, 'sweep', 'pruning', 'minSteps')?.at ?? sweep.at;
  if (!pruning) return undefined;
  const steps = configurations.map(({ config }) => stepsOf(config.train));
  if (steps.includes(undefined)) {
    return {
      code: 'conflict',
      severity: 'error',
      message: 'pruning counts in training steps, and the length of a training is given in epochs.',
      at,
      expected: 'train.steps or train.trainingIters',
      got: 'train.epochs',
      help: 'Write for example `steps: 1000` in train instead of epochs.',
    };
  }
  const longest = Math.max(...steps.map((one) => one ?? 0));
  if (pruning.minSteps >= longest) {
    return {
      code: 'out-of-range',
      severity: 'error',
      message: 'No run is long enough to be pruned.',
      at,
      expected: `minSteps below ${longest}, the steps of the longest run`,
      got: String(pruning.minSteps),
      help: `Write for example \`minSteps: ${Math.max(1, Math.floor(longest / 9))}\`.`,
    };
  }
  return undefined;
};
