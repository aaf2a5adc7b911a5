import { Type, type Static } from '@sinclair/typebox';
import { nullable } from '../parameters/schema.ts';
import type { DatasetRow } from './dataset.ts';

const part = (name: string) =>
  Type.Number({
    minimum: 0,
    maximum: 0.9,
    default: 0.05,
    description: `The fraction of the text, near its end, that is kept for ${name}.`,
  });

const parameters = Type.Object(
  {
    file: Type.String({
      minLength: 1,
      description: 'A UTF-8 text file. A relative path starts at the folder of the spec that contains it.',
      examples: ['data/book.txt'],
    }),
    length: Type.Integer({
      minimum: 1,
      maximum: 100_000,
      default: 100,
      description: 'Characters in a sequence.',
    }),
    stride: nullable(
      Type.Integer({
        minimum: 1,
        description:
          'Characters from the start of a sequence to the start of the next. null: length, so that none overlap.',
        examples: [20],
      }),
    ),
    validationFraction: part('validation, before the test part'),
    testFraction: part('testing'),
  },
  { additionalProperties: false },
);

export type CharactersParameters = Static<typeof parameters>;

/** The next character of a string. */
export const characters = {
  title: 'The next character of your own text file',
  description:
    'The text is cut into sequences; at each character the target is the next one. The classes are the characters of the whole text. Training, validation and test part follow one another in the text.',
  version: 1,
  parameters,
  check: ({ validationFraction, testFraction }) =>
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
        ],
  files: ['file'],
  parts: ({ validationFraction }) => ({ trainSize: undefined, validation: validationFraction > 0 }),
  shape: async (chosen, context) => (await import('./text-tokens.ts')).charactersShape(chosen, context),
  digest: async (chosen, context) => {
    const { fileDigest, findDataFile } = await import('./files.ts');
    return fileDigest(await findDataFile(chosen.file, context, 'file'));
  },
  inspect: async (chosen, context) => (await import('./text-tokens.ts')).inspectCharacters(chosen, context),
  load: async (chosen, context) => (await import('./text-tokens.ts')).loadCharacters(chosen, context),
} as const satisfies DatasetRow<typeof parameters>;
