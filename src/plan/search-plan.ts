import { stepsOf } from './steps.ts';
import { success, unreachable, type Diagnostic, type Result } from '../diagnostic/diagnostic.ts';
import { find, toJson } from '../language/located.ts';
import type { Pruning, TrainConfig } from '../language/config.ts';
import type { Search } from './plan.ts';
import type { Configuration } from './resolve-points.ts';
import type { JsonMap } from '../language/sections.ts';
import { gridPoints, type Ground } from '../search/grid.ts';
import { finiteSpace, keyOf, searchPoints } from '../search/search.ts';
import { coordinatesOf } from '../search/space.ts';
import type { Point, Sweep } from '../language/sweep/sweep.ts';
import type { Spec } from '../language/validate-spec.ts';

/** Points that tpe draws at random before it proposes any: fewer are too little to learn from. */
const firstPoints = 10;

/** The points of a sweep that are known before any of them is trained. */
export const pointsOf = (sweep: Sweep, ground: Ground): Result<readonly Point[]> => {
  switch (sweep.method) {
    case 'grid':
      return gridPoints(sweep, ground);
    case 'random':
    case 'quasi-random':
      return searchPoints(sweep, ground);
    case 'tpe': {
      const samples = Math.min(firstPoints, sweep.samples);
      const drawn = searchPoints({ ...sweep, samples, add: [] }, ground);
      if (!drawn.ok) return drawn;
      // What the user names is tried first, and the others learn from it.
      const points = [...sweep.add, ...drawn.value];
      return success([...new Map(points.map((point) => [keyOf(point), point])).values()], drawn.notices);
    }
    default:
      return unreachable(sweep.method);
  }
};

/** How many points a sweep that proposes them will have. */
export const searchedPoints = (sweep: Sweep, ground: Ground): number => {
  const finite = finiteSpace(sweep, ground);
  const most = finite?.ok ? finite.value.length : Infinity;
  return Math.min(sweep.samples, most) + sweep.add.length;
};

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
