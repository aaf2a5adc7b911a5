import { Type } from '@sinclair/typebox';

/** A number of runs, threads or processors that may be left to Unroll. */
export const countOrAuto = (description: string, examples: readonly (number | 'auto')[] = ['auto', 2]) =>
  Type.Unsafe<number | 'auto'>({
    type: ['integer', 'string'],
    minimum: 1,
    maximum: 1024,
    pattern: '^auto$',
    phrase: 'auto or a whole number from 1 to 1024',
    default: 'auto',
    description,
    examples: [...examples],
  });
