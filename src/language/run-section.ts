import { Type, type Static } from '@sinclair/typebox';
import { choice, nullable } from '../parameters/schema.ts';
import { countOrAuto, slurmSchema } from './slurm-section.ts';

/** Outcomes worth retrying. A NaN loss or bad data would only fail again. */
export const retryReasons = ['crashed', 'out-of-memory', 'timed-out'] as const;

type RetryReason = (typeof retryReasons)[number];

const duration = (description: string, examples: readonly string[]) =>
  Type.String({
    // So few digits that the time is a finite number of milliseconds.
    pattern: '^\\d{1,12}(\\.\\d+)?(ms|s|m|h|d)$',
    phrase: 'a time such as 90s, 30m or 2h, or null',
    description,
    examples: [...examples],
  });

export interface Retries {
  readonly count: number;
  readonly on: readonly RetryReason[];
}

const retriesSchema = Type.Unsafe<number | Retries>({
  type: ['integer', 'object'],
  minimum: 0,
  maximum: 10,
  properties: {
    count: Type.Integer({
      minimum: 0,
      maximum: 10,
      default: 1,
      description: 'How often a run is tried again.',
      examples: [1],
    }),
    on: Type.Unsafe<Retries['on']>({
      type: 'array',
      minItems: 1,
      uniqueItems: true,
      items: choice(retryReasons, {
        description: 'An end after which a run is tried again: crashed, out-of-memory or timed-out.',
        examples: ['crashed'],
      }),
      phrase: 'a list of crashed, out-of-memory and timed-out, each once',
      default: ['crashed', 'out-of-memory'],
      description:
        'The ends after which a run is tried again. A run that diverges comes out the same each time.',
      examples: [['crashed']],
    }),
  },
  additionalProperties: false,
  phrase: 'how often, from 0 to 10, or a mapping with count and on',
  default: 1,
  description:
    'How often a run whose process died (a crash, out of memory) is tried again, or with `on` after which ends. A run that diverges never is.',
  examples: [1, { count: 2, on: ['crashed'] }],
});

const budgetSchema = Type.Object(
  {
    time: nullable(
      duration(
        'How long one call of run or resume trains. After that no run starts, and active runs end with a checkpoint. The next call continues. null: no limit.',
        ['2h'],
      ),
    ),
    runs: nullable(
      Type.Integer({
        minimum: 1,
        description:
          'How many runs of the sweep are ever begun, over all calls, in the order of the plan; the rest stays new. null: all.',
        examples: [50],
      }),
    ),
  },
  {
    additionalProperties: false,
    description: 'What the whole sweep may cost at most. null: no limit.',
    examples: [{ time: '2h', runs: 50 }],
  },
);

/** What a spec's `run` section may hold: how the runs are executed, not what they compute. */
export const runSchema = Type.Object(
  {
    concurrency: countOrAuto(
      'Runs that train at the same time, each in a process of its own. auto: as many as the cores allow with threadsPerRun.',
    ),
    threadsPerRun: countOrAuto(
      'Threads of TensorFlow in each run; frozen with the plan, because it can change the last bits of a result. auto: the cores divided among the runs; long plans are measured when they begin.',
    ),
    retries: retriesSchema,
    timeout: nullable(
      duration('The longest time that a run may take: a number and one of ms, s, m, h, d. null: no limit.', [
        '30m',
        '2h',
      ]),
    ),
    budget: nullable(budgetSchema),
    onError: choice(['continue', 'stop'], {
      default: 'continue',
      description: 'After a run has failed: continue with the other runs, or stop and start no more.',
    }),
    slurm: nullable(slurmSchema),
  },
  {
    additionalProperties: false,
    default: {},
    examples: [{ concurrency: 2, timeout: '30m' }],
    description:
      'How the runs are executed: how many at once, with how many threads, and what happens on errors.',
  },
);

export type RunSection = Static<typeof runSchema>;
