import { Type } from '@sinclair/typebox';
import type { ParameterIssue } from '../../parameters/row.ts';
import { nullable } from '../../parameters/schema.ts';
import type { DataContext } from '../dataset.ts';
import type { StreamFormat, StreamParameters } from './stream.ts';

const part = (name: string) =>
  Type.Number({
    minimum: 0,
    maximum: 0.9,
    default: 0.05,
    description: `The fraction of the text, near its end, that is kept for ${name}.`,
  });

/** The parameters of every dataset that cuts one long text into sequences of `unit`s. */
export const streamProperties = (unit: 'character' | 'token') => {
  const units = unit === 'character' ? 'Characters' : 'Tokens';
  return {
    file: Type.String({
      minLength: 1,
      description: 'A UTF-8 text file. A relative path starts at the folder of the spec that contains it.',
      examples: ['data/book.txt'],
    }),
    length: Type.Integer({
      minimum: 1,
      maximum: 100_000,
      default: 100,
      description: `${units} in a sequence.`,
    }),
    stride: nullable(
      Type.Integer({
        minimum: 1,
        description: `${units} from the start of a sequence to the start of the next. null: length, so that none overlap.`,
        examples: [20],
      }),
    ),
    validationFraction: part('validation, before the test part'),
    testFraction: part('testing'),
  };
};

export const checkStream = ({
  validationFraction,
  testFraction,
}: StreamParameters): readonly ParameterIssue[] =>
  validationFraction + testFraction < 1
    ? []
    : [
        {
          path: 'validationFraction',
          with: ['testFraction'],
          message: `validationFraction ${validationFraction} and testFraction ${testFraction} leave nothing to train on.`,
          expected: 'fractions that are less than 1 together',
          help: 'Lower one of them; together they are less than 1.',
        },
      ];

/** What the rows of long texts have in common: only how the text is split differs. */
export const fromStream = <P extends StreamParameters>(
  formatOf: (chosen: P, context: DataContext) => Promise<StreamFormat>,
) => ({
  formatOf,
  parts: ({ validationFraction }: P) => ({ trainSize: undefined, validation: validationFraction > 0 }),
  consecutive: ({ stride, length }: P) => stride === null || stride === length,
  shape: async (chosen: P, context: DataContext) =>
    (await import('./stream.ts')).streamShape(await formatOf(chosen, context), context),
  vocabulary: async (chosen: P, context: DataContext) =>
    (await import('./stream.ts')).streamVocabulary(await formatOf(chosen, context), context),
  inspect: async (chosen: P, context: DataContext) =>
    (await import('./stream.ts')).inspectStream(await formatOf(chosen, context), context),
  load: async (chosen: P, context: DataContext) =>
    (await import('./stream.ts')).loadStream(await formatOf(chosen, context), context),
});
