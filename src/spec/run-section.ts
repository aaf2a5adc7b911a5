import { Type, type Static } from '@sinclair/typebox';
import { choice, nullable } from '../parameters/schema.ts';

const countOrAuto = (description: string) =>
  Type.Unsafe<number | 'auto'>({
    type: ['integer', 'string'],
    minimum: 1,
    maximum: 1024,
    pattern: '^auto$',
    phrase: 'auto or a whole number from 1 to 1024',
    default: 'auto',
    description,
    examples: ['auto', 2],
  });

/** What a spec's `run` section may hold: how the runs are executed, not what they compute. */
export const runSchema = Type.Object(
  {
    concurrency: countOrAuto(
      'Runs that train at the same time, each in a process of its own. auto: as many as the cores allow with threadsPerRun.',
    ),
    threadsPerRun: countOrAuto(
      'Threads of TensorFlow in each run; frozen with the plan, because it can change the last bits of a result. auto: the cores divided among the runs.',
    ),
    retries: Type.Integer({
      minimum: 0,
      maximum: 10,
      default: 1,
      description:
        'How often a run whose process died (a crash, out of memory) is tried again. A run that diverges is not.',
      examples: [1],
    }),
    timeout: nullable(
      Type.String({
        pattern: '^\\d+(\\.\\d+)?(ms|s|m|h|d)$',
        phrase: 'a time such as 90s, 30m or 2h, or null',
        description:
          'The longest time that a run may take: a number and one of ms, s, m, h, d. null: no limit.',
        examples: ['30m', '2h'],
      }),
    ),
    onError: choice(['continue', 'stop'], {
      default: 'continue',
      description: 'After a run has failed: continue with the other runs, or stop and start no more.',
    }),
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

const unitMs = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** `30m` in milliseconds. The text has been checked by the schema. */
export const durationMs = (text: string): number => {
  const [, amount = '', unit = ''] = /^([\d.]+)([a-z]+)$/.exec(text) ?? [];
  return Math.round(Number(amount) * unitMs[unit as keyof typeof unitMs]);
};
