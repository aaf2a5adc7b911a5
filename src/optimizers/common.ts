import { Type, type Static, type TObject } from '@sinclair/typebox';
import { nullable, addedLater, choice } from '../parameters/schema.ts';
import { parserOf } from '../system/schema.ts';
import type { ParameterIssue } from '../parameters/row.ts';
import { unreachable } from '../diagnostic/diagnostic.ts';
import { isObject } from '../system/json.ts';

/** The parameters that every optimizer has; `learningRate` is its default. */
export const commonParameters = (learningRate: number) => ({
  learningRate: Type.Number({
    exclusiveMinimum: 0,
    maximum: 1000,
    default: learningRate,
    description: 'Size of an update, before the schedule.',
    examples: [1e-3, 1e-2],
  }),
  schedule: scheduleParameters,
  clipNorm: nullable(
    Type.Number({
      exclusiveMinimum: 0,
      description:
        'Scale the gradients of all weights together so that their common Euclidean norm is at most this (Pascanu, Mikolov and Bengio 2013). null: no limit.',
      examples: [1, 5],
    }),
  ),
  clipValue: nullable(
    Type.Number({
      exclusiveMinimum: 0,
      description:
        'Cut every single number of a gradient to [-clipValue, clipValue], before clipNorm. null: no limit.',
      examples: [1],
    }),
  ),
});

export type CommonParameters = Static<TObject<ReturnType<typeof commonParameters>>>;

const numbersOf = parserOf(
  Type.Object({
    learningRate: Type.Number(),
    clipNorm: nullable(Type.Number()),
    clipValue: nullable(Type.Number()),
  }),
);

/** What a validated section of any optimizer has. Throws for one without. */
export const commonOf = (section: Readonly<Record<string, unknown>>): CommonParameters => {
  const numbers = numbersOf(section);
  const schedule = scheduleOf(section);
  if (!numbers || !schedule)
    throw new Error(`The optimizer ${String(section['name'])} lacks learningRate, schedule or clipping.`);
  return { ...numbers, schedule };
};

/** Keeps a division finite in optimizers that divide by a running magnitude of the gradient. */
export const epsilonParameter = (epsilon: number) =>
  Type.Number({
    exclusiveMinimum: 0,
    maximum: 1,
    default: epsilon,
    description: 'Added to the divisor, so that a gradient near zero does not divide by zero.',
  });

/** The decay rate of a running mean: the share of the old mean that each update keeps. */
export const decayParameter = (decay: number, description: string) =>
  Type.Number({ minimum: 0, exclusiveMaximum: 1, default: decay, description });

export const scheduleNames = ['constant', 'step', 'exponential', 'cosine', 'one-cycle', 'plateau'] as const;

/** The patience of `plateau` where none is given. */
export const defaultPatience = 3;

/**
 * One flat object for every schedule, so that a sweep may vary `optimizer.schedule.name` alone: every parameter of a
 * schedule has a default, in proportion to the length of the training.
 */
export const scheduleParameters = Type.Object(
  {
    name: choice(scheduleNames, {
      default: 'constant',
      description:
        'How the learning rate changes: constant; step (times factor every everySteps); exponential (the same, but smoothly); cosine (half a cosine wave down to finalFactor at the end); one-cycle (from a 25th up to learningRate over the first 30 % of the training, then down to finalFactor, each along half a cosine wave); plateau (times factor whenever a metric of the validation part has not improved for patience evaluations).',
    }),
    factor: nullable(
      Type.Number({
        exclusiveMinimum: 0,
        maximum: 1,
        description:
          'step and exponential: what the learning rate is multiplied with over everySteps; plateau: at each reduction. Default 0.1.',
        examples: [0.5],
      }),
    ),
    everySteps: nullable(
      Type.Integer({
        minimum: 1,
        description:
          'step and exponential: the updates over which the learning rate falls by factor. Default a third of the training after the warm-up.',
        examples: [1000],
      }),
    ),
    finalFactor: nullable(
      Type.Number({
        minimum: 0,
        maximum: 1,
        description:
          'cosine and one-cycle: the learning rate at the end, as a part of learningRate. Default 0, or 0.000004 with one-cycle.',
        examples: [0.01],
      }),
    ),
    metric: addedLater(
      nullable(
        Type.String({
          pattern: '^val/[\\w-]+$',
          phrase: 'a metric such as val/loss or val/accuracy',
          description:
            'plateau: the metric that is watched at each evaluation. Default: that of train.earlyStopping, or val/loss.',
          examples: ['val/loss', 'val/accuracy'],
        }),
      ),
    ),
    patience: addedLater(
      nullable(
        Type.Integer({
          minimum: 1,
          maximum: 1_000_000,
          description: `plateau: evaluations without improvement before the learning rate falls. Default ${defaultPatience}.`,
          examples: [3],
        }),
      ),
    ),
    minDelta: addedLater(
      nullable(
        Type.Number({
          minimum: 0,
          description: 'plateau: the least change of the metric that counts as an improvement. Default 0.',
          examples: [0.001],
        }),
      ),
    ),
    cooldown: addedLater(
      nullable(
        Type.Integer({
          minimum: 0,
          maximum: 1_000_000,
          description:
            'plateau: evaluations after a reduction that do not count as being without improvement. Default 0.',
          examples: [2],
        }),
      ),
    ),
    minimum: addedLater(
      nullable(
        Type.Number({
          minimum: 0,
          description: 'plateau: the learning rate never falls below this. Default 0.',
          examples: [0.00001],
        }),
      ),
    ),
    warmupSteps: Type.Integer({
      minimum: 0,
      default: 0,
      description:
        'Updates over which the learning rate rises linearly to learningRate, before the schedule begins; 0 for none.',
    }),
  },
  {
    additionalProperties: false,
    default: {},
    description: 'How the learning rate changes during the training.',
  },
);

export type Schedule = Static<typeof scheduleParameters>;

/** The schedule in a validated section of an optimizer; undefined where it has none. */
export const scheduleOf = ({ schedule }: Readonly<Record<string, unknown>>): Schedule | undefined =>
  isSchedule(schedule) ? schedule : undefined;

const isSchedule = (value: unknown): value is Schedule =>
  isObject(value) && scheduleNames.some((name) => name === value['name']);

const usedBy = {
  factor: ['step', 'exponential', 'plateau'],
  everySteps: ['step', 'exponential'],
  finalFactor: ['cosine', 'one-cycle'],
  metric: ['plateau'],
  patience: ['plateau'],
  minDelta: ['plateau'],
  cooldown: ['plateau'],
  minimum: ['plateau'],
} as const satisfies Partial<Record<keyof Schedule, readonly Schedule['name'][]>>;

/** Returns an issue for each parameter that the named schedule does not use. */
export const checkSchedule = (schedule: Schedule): readonly ParameterIssue[] => [
  ...(schedule.name === 'one-cycle' && schedule.warmupSteps > 0 ? [ownWarmUp] : []),
  ...(Object.keys(usedBy) as (keyof typeof usedBy)[])
    .filter((key) => (schedule[key] ?? null) !== null && !usedBy[key].some((name) => name === schedule.name))
    .map((key) => ({
      path: `schedule.${key}`,
      message: `The schedule "${schedule.name}" does not use ${key}.`,
      expected: 'null, or no such key',
      help: `Remove ${key}, or use the schedule ${usedBy[key].join(' or ')}.`,
    })),
];

const ownWarmUp: ParameterIssue = {
  path: 'schedule.warmupSteps',
  message: 'The schedule "one-cycle" begins with a rise of its own.',
  expected: '0, or no such key',
  help: 'Remove warmupSteps, or use the schedule cosine.',
};

/** Whether the learning rate is not the same in all updates. */
export const changesRate = ({ name, warmupSteps }: Schedule): boolean =>
  name !== 'constant' || warmupSteps > 0;

/** Whether the learning rate of an update depends on the length of the whole training. */
export const dependsOnLength = ({ name, everySteps }: Schedule): boolean => {
  switch (name) {
    case 'constant':
    case 'plateau':
      return false;
    case 'step':
    case 'exponential':
      return everySteps === null;
    case 'cosine':
    case 'one-cycle':
      return true;
    default:
      return unreachable(name);
  }
};

/**
 * The learning rate of update `step` (counted from 1) out of `totalSteps`.
 *
 * Warm-up is linear from `learningRate / warmupSteps` to `learningRate`. With t the updates since the warm-up and T the
 * number of updates after it: step `factor^floor(t / everySteps)`; exponential `factor^(t / everySteps)`;
 * cosine `f + (1 - f) (1 + cos(pi t / T)) / 2` (Loshchilov and Hutter 2017, "SGDR", without restarts). one-cycle (Smith
 * and Topin 2018) is that of PyTorch's `OneCycleLR` with its defaults. plateau `factor^reductions`, not below `minimum`; how
 * many reductions there were by then follows from the evaluations, as with Keras' `ReduceLROnPlateau`.
 */
export const learningRateAt = (
  { learningRate, schedule }: { readonly learningRate: number; readonly schedule: Schedule },
  {
    step,
    totalSteps,
    reductions = 0,
  }: { readonly step: number; readonly totalSteps: number; readonly reductions?: number },
): number => {
  if (step <= schedule.warmupSteps) return (learningRate * step) / schedule.warmupSteps;
  const done = step - 1 - schedule.warmupSteps;
  const whole = Math.max(1, totalSteps - schedule.warmupSteps);
  const everySteps = schedule.everySteps ?? Math.ceil(whole / 3);
  const factor = schedule.factor ?? 0.1;
  switch (schedule.name) {
    case 'constant':
      return learningRate;
    case 'step':
      return learningRate * factor ** Math.floor(done / everySteps);
    case 'exponential':
      return learningRate * factor ** (done / everySteps);
    case 'cosine': {
      const final = schedule.finalFactor ?? 0;
      const wave = (1 + Math.cos((Math.PI * Math.min(done, whole)) / whole)) / 2;
      return learningRate * (final + (1 - final) * wave);
    }
    case 'one-cycle':
      return learningRate * oneCycleAt(step, totalSteps, schedule.finalFactor ?? oneCycle.final);
    case 'plateau':
      return Math.max(learningRate * factor ** reductions, Math.min(learningRate, schedule.minimum ?? 0));
    default:
      return unreachable(schedule.name);
  }
};

/** The defaults of PyTorch's `OneCycleLR`, as parts of the largest learning rate and of the training. */
const oneCycle = { initial: 1 / 25, final: 1 / 25 / 10_000, rising: 0.3 };

/** The part of the learning rate at an update counted from 1: half a cosine wave up, and another one down. */
const oneCycleAt = (step: number, totalSteps: number, final: number): number => {
  const top = oneCycle.rising * totalSteps - 1;
  const done = Math.min(step, totalSteps) - 1;
  const wave = (share: number) => (1 + Math.cos(Math.PI * share)) / 2;
  if (done <= top) return 1 + (oneCycle.initial - 1) * wave(top > 0 ? done / top : 1);
  return final + (1 - final) * wave((done - top) / (totalSteps - 1 - top));
};

/** The metric that the schedule `plateau` watches. */
export const watchedMetric = (
  { metric }: Pick<Schedule, 'metric'>,
  { earlyStopping }: { readonly earlyStopping: { readonly metric: string } | null },
): string => metric ?? earlyStopping?.metric ?? 'val/loss';
