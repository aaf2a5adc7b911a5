import { Type, type Static, type TObject } from '@sinclair/typebox';
import type { ParameterIssue } from '../../parameters/row.ts';
import { choice, nullable } from '../../parameters/schema.ts';
import type { DatasetParts } from '../dataset.ts';

const text = (description: string, example: string) =>
  nullable(Type.String({ minLength: 1, description, examples: [example] }));

const fraction = (part: string) =>
  nullable(
    Type.Number({
      minimum: 0,
      exclusiveMaximum: 1,
      description: `The fraction of the sequences in file that is kept for ${part === 'test' ? 'testing' : part}. Default 0.1, or 0 with ${part}File.`,
      examples: [0.2],
    }),
  );

/** The parameters that `csv-sequences` and `jsonl-sequences` share. */
export const tableParameters = {
  file: Type.String({
    minLength: 1,
    description: 'The data to train on. A relative path starts at the folder of the spec that contains it.',
    examples: ['data/train.csv'],
  }),
  validationFile: text(
    'A file of the same form for validation, instead of a fraction of file.',
    'data/validation.csv',
  ),
  testFile: text('A file of the same form for testing, instead of a fraction of file.', 'data/test.csv'),
  validationFraction: fraction('validation'),
  testFraction: fraction('test'),
  splitSeed: Type.Integer({
    minimum: 0,
    maximum: 4_294_967_295,
    default: 1,
    description:
      'Decides which sequences the fractions take; apart from the seed of a run, so that replicates agree.',
  }),
  task: choice(['classification', 'labelling', 'regression'], {
    default: 'classification',
    description:
      'What is learnt: one class a sequence (classification), one class a step (labelling) or numbers (regression).',
  }),
  layout: choice(['long', 'wide'], {
    default: 'long',
    description: 'long: one row a step. wide: one row a sequence.',
  }),
  sequence: text(
    'long: the column that identifies the sequence of a row. Rows of one sequence must be adjacent.',
    'id',
  ),
  order: text(
    'long: a column of numbers that orders the steps of a sequence. null: they are in the order of the file.',
    'time',
  ),
  features: nullable(
    Type.Array(Type.String({ minLength: 1 }), {
      minItems: 1,
      uniqueItems: true,
      description:
        'The columns of input numbers. null: every column that is not named otherwise, in the order of the file.',
      examples: [['x', 'y']],
    }),
  ),
  targets: Type.Array(Type.String({ minLength: 1 }), {
    minItems: 1,
    uniqueItems: true,
    description: 'The column of the label, or the columns of the numbers to predict (regression).',
    examples: [['label']],
  }),
  standardize: Type.Boolean({
    default: true,
    description:
      'Shift and scale each feature to mean 0 and standard deviation 1, measured on the training part only.',
  }),
};

export type TableParameters = Static<TObject<typeof tableParameters>>;

/** Combinations that make no sense, whatever the files hold. */
export const checkTable = (chosen: TableParameters): readonly ParameterIssue[] => {
  const { layout, sequence, order, features, targets, task } = chosen;
  const issues: ParameterIssue[] = [];
  for (const part of ['validation', 'test'] as const) {
    const share = chosen[`${part}Fraction`];
    if (chosen[`${part}File`] !== null && share !== null && share > 0) {
      issues.push({
        path: `${part}Fraction`,
        with: [`${part}File`],
        message: `${part}Fraction and ${part}File both define the ${part} part.`,
        expected: `one of ${part}Fraction and ${part}File`,
        help: 'Remove one of them.',
      });
    }
  }
  const { validation, test } = fractions(chosen);
  if (chosen.testFile === null && test === 0) {
    issues.push({
      path: 'testFraction',
      message: 'Nothing is left to test on.',
      expected: 'above 0 and below 1',
      help: 'Set testFraction above 0, or name a testFile.',
    });
  }
  if (validation + test >= 1) {
    issues.push({
      path: 'validationFraction',
      with: ['testFraction'],
      message: `validationFraction ${validation} and testFraction ${test} leave nothing to train on.`,
      expected: 'less than 1 together',
      got: `${validation} + ${test}`,
      help: 'Lower one of them.',
    });
  }
  if (layout === 'long' && sequence === null) {
    issues.push({
      path: 'sequence',
      message: 'The long layout needs the column that identifies the sequences.',
      expected: 'the name of a column',
      help: 'Add for example `sequence: id`, or write `layout: wide` when each row is a whole sequence.',
    });
  }
  if (layout === 'wide') {
    for (const key of ['sequence', 'order'] as const) {
      if (chosen[key] !== null) {
        issues.push({
          path: key,
          with: ['layout'],
          message: `The wide layout does not use ${key}.`,
          expected: `no ${key}`,
          help: 'Remove it, or use layout: long.',
        });
      }
    }
  }
  if (targets.length > 1 && (task === 'classification' || (task === 'labelling' && layout === 'long'))) {
    issues.push({
      path: 'targets',
      message: `${task} has one target, not ${targets.length}.`,
      expected: 'one column',
      help: `Write for example \`targets: [${targets[0] ?? ''}]\`, or use task: regression.`,
    });
  }
  const used = [sequence, order, ...targets].filter((name) => name !== null);
  for (const name of used.filter((one, index) => features?.includes(one) || used.indexOf(one) !== index)) {
    issues.push({
      path: features?.includes(name) ? 'features' : 'targets',
      message: `The column ${JSON.stringify(name)} is used twice.`,
      expected: 'each column in one place only',
      help: `Name ${JSON.stringify(name)} in one of features, targets, sequence and order.`,
    });
  }
  return issues;
};

export const tableParts = (chosen: TableParameters): DatasetParts => ({
  trainSize: undefined,
  validation: chosen.validationFile !== null || fractions(chosen).validation > 0,
});

/** The fractions of `file` that are kept, with their defaults. */
export const fractions = ({
  validationFile,
  testFile,
  validationFraction,
  testFraction,
}: TableParameters): { readonly validation: number; readonly test: number } => ({
  validation: validationFraction ?? (validationFile === null ? 0.1 : 0),
  test: testFraction ?? (testFile === null ? 0.1 : 0),
});
