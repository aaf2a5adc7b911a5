import { Type, type Static, type TObject } from '@sinclair/typebox';
import { nearest } from '../../diagnostic/nearest.ts';
import type { ParameterIssue } from '../../parameters/row.ts';
import { choice, nullable, withOptions } from '../../parameters/schema.ts';
import { missingParameter, strategyOf, type MissingStrategy } from '../columns/missing.ts';
import { listed, mostSuggestions } from '../table/columns.ts';
import type { DatasetParts } from '../dataset.ts';
import { calendarFields } from './calendar.ts';

const column = (description: string, example: string) =>
  Type.String({ minLength: 1, description, examples: [example] });

const columns = (description: string, example: string) =>
  Type.Array(Type.String({ minLength: 1 }), {
    uniqueItems: true,
    default: [],
    description,
    examples: [[example]],
  });

/** A fraction of the time steps, or the time at which a part begins. */
const border = (given: { readonly part: string; readonly example: string }) =>
  Type.Unsafe<number | string>({
    type: ['number', 'string'],
    minimum: 0,
    minLength: 1,
    default: 0.15,
    phrase: `a fraction below 1, or the time at which the ${given.part} part begins`,
    description: `The ${given.part} part: a fraction of the time steps, or the time at which it begins, written as in the time column.`,
    examples: [0.15, given.example],
  });

/** The parameters that `csv-series` and `jsonl-series` share. */
export const seriesParameters = {
  file: column(
    'The series. A relative path starts at the folder of the spec that contains it.',
    'data/series.csv',
  ),
  time: column(
    'The column of the time: numbers, ISO dates (also as 20240131) or ISO date-times. It decides the order of the rows.',
    'date',
  ),
  series: nullable(
    column(
      'The column that names the series of a row, where the file has several. null: it is one series.',
      'station',
    ),
  ),
  targets: Type.Array(Type.String({ minLength: 1 }), {
    minItems: 1,
    uniqueItems: true,
    description: 'The columns to forecast. Their own past is an input.',
    examples: [['value']],
  }),
  past: columns('Columns of numbers that are known up to now: inputs over the window.', 'wind'),
  future: columns(
    'Columns of numbers that are known ahead, such as holidays or prices: inputs over the window and over the horizon.',
    'holiday',
  ),
  static: columns('Columns with one value a series, as numbers or as words (one-hot).', 'region'),
  calendar: Type.Array(choice(calendarFields), {
    uniqueItems: true,
    default: [],
    description:
      'Inputs from the time, over the window and over the horizon: each is the sine and the cosine of where the time is in the year, month, week, day or hour.',
    examples: [['dayOfYear', 'hour']],
  }),
  window: Type.Integer({
    minimum: 1,
    maximum: 100_000,
    default: 24,
    description: 'How many steps of the past the network reads.',
    examples: [24, 48],
  }),
  horizon: Type.Integer({
    minimum: 1,
    maximum: 10_000,
    default: 1,
    description: 'How many steps ahead are forecast.',
    examples: [12],
  }),
  stride: Type.Integer({
    minimum: 1,
    maximum: 100_000,
    default: 1,
    description: 'Steps from the start of one window to the start of the next.',
    examples: [1],
  }),
  split: Type.Object(
    {
      validation: border({ part: 'validation', example: '2015-01-01' }),
      test: border({ part: 'test', example: '2018-01-01' }),
    },
    {
      additionalProperties: false,
      default: {},
      description:
        'What is kept for validation and testing: the last steps, in the order training, validation, test. A window belongs to the part that its targets lie in; one whose targets lie in two parts is left out.',
    },
  ),
  rolling: nullable(
    Type.Integer({
      minimum: 2,
      maximum: 100,
      description:
        'Rolling-origin folds: the test part is cut into this many equal pieces, and each fold trains on everything before its own piece. null: one origin.',
      examples: [5],
    }),
  ),
  fold: nullable(
    Type.Integer({
      minimum: 1,
      maximum: 100,
      description: 'Which of the folds of `rolling` this is, counted from 1. null: the whole test part.',
      examples: [1],
    }),
  ),
  scale: choice(['series', 'all', 'none'], {
    default: 'series',
    description:
      'Shift and scale each column of numbers to mean 0 and standard deviation 1, measured on the training part only: of each series by itself (series), or of all series together (all).',
  }),
  missing: withOptions(missingParameter, {
    description:
      'What becomes of empty cells and of missing rows, in all columns or by column (targets, past, future; a column that is not named has `error`): an error; the straight line to the next value that the window has (interpolate); the last value (forward); the mean of the training part (mean); or as interpolate, with one more input for the column that is 1 where the value is missing (mask). A missing row lacks every column, so it is an error if one column has `error`. A missing target never counts in the loss or in a metric.',
    examples: ['interpolate', { temperature: 'interpolate', rain: 'mask' }],
  }),
  season: nullable(
    Type.Integer({
      minimum: 2,
      maximum: 100_000,
      description:
        'The steps of a season, for the seasonal naive baseline. null: found by autocorrelation in the training part.',
      examples: [7],
    }),
  ),
} as const;

export type SeriesParameters = Static<TObject<typeof seriesParameters>>;

/** The parameters that name columns, in the order of a spec. */
const columnParameters = ['time', 'series', 'targets', 'past', 'future', 'static'] as const;

/** Combinations that make no sense, whatever the file holds. */
export const checkSeries = (chosen: SeriesParameters): readonly ParameterIssue[] => [
  ...checkSplit(chosen),
  ...checkFolds(chosen),
  ...checkColumnsOnce(chosen),
  ...checkMissing(chosen),
  ...(chosen.static.length > 0 && chosen.series === null
    ? [
        {
          path: 'static',
          with: ['series'],
          message: 'static needs several series: it is one value a series.',
          expected: 'series beside static',
          help: 'Remove static, or name the column of the series with `series`.',
        },
      ]
    : []),
];

const isFraction = (border: number | string): border is number => typeof border === 'number' && border < 1;

const checkSplit = ({ split: { validation, test } }: SeriesParameters): readonly ParameterIssue[] => {
  if (test === 0) {
    return [
      {
        path: 'split.test',
        message: 'Nothing is left to test on.',
        expected: 'a fraction above 0, or the time at which the test part begins',
        help: 'Write for example `test: 0.15`.',
      },
    ];
  }
  if (isFraction(validation) && isFraction(test) && validation + test >= 1) {
    return [
      {
        path: 'split.validation',
        with: ['split.test'],
        message: `A validation part of ${validation} and a test part of ${test} leave nothing to train on.`,
        expected: 'less than 1 together',
        got: `${validation} + ${test}`,
        help: 'Lower one of them, for example `split: { validation: 0.15, test: 0.15 }`.',
      },
    ];
  }
  return [];
};

const checkFolds = ({ rolling, fold }: SeriesParameters): readonly ParameterIssue[] => {
  if (fold === null || (rolling !== null && fold <= rolling)) return [];
  return [
    {
      path: 'fold',
      with: ['rolling'],
      message: rolling === null ? 'fold needs rolling.' : `There is no fold ${fold} of ${rolling}.`,
      expected: rolling === null ? 'rolling beside fold' : `a fold from 1 to ${rolling}`,
      help:
        rolling === null
          ? `Write for example \`rolling: ${Math.max(5, fold)}\`, or remove fold.`
          : 'Lower fold, or raise rolling.',
    },
  ];
};

const checkColumnsOnce = (chosen: SeriesParameters): readonly ParameterIssue[] => {
  const usedBy = new Map<string, string>();
  const issues: ParameterIssue[] = [];
  for (const path of columnParameters) {
    for (const name of [chosen[path] ?? []].flat()) {
      const before = usedBy.get(name);
      if (before === undefined) usedBy.set(name, path);
      else {
        issues.push({
          path,
          with: [before],
          message: `The column ${JSON.stringify(name)} is used twice, in ${before} and in ${path}.`,
          expected: 'each column in one place only',
          help:
            before === 'targets'
              ? `Remove it from ${path}: the past of a target is an input already.`
              : `Remove it from ${before} or from ${path}.`,
        });
      }
    }
  }
  return issues;
};

const checkMissing = (chosen: SeriesParameters): readonly ParameterIssue[] => {
  const columns = numberColumns(chosen);
  const there = new Set(columns);
  const named = typeof chosen.missing === 'string' ? [] : Object.keys(chosen.missing);
  return named
    .filter((column) => !there.has(column))
    .map((column, at) => {
      const similar = at < mostSuggestions ? nearest(column, columns) : undefined;
      return {
        path: `missing.${column}`,
        message: `${JSON.stringify(column)} is not a column of numbers that the network reads.`,
        expected: `one of ${listed(columns)}`,
        help:
          similar === undefined
            ? 'Remove it, or name it in targets, past or future, too.'
            : `Rename the key to ${JSON.stringify(similar)}.`,
      };
    });
};

export const seriesParts = ({ split }: SeriesParameters): DatasetParts => ({
  trainSize: undefined,
  validation: split.validation !== 0,
});

type NumberColumns = Pick<SeriesParameters, 'targets' | 'past' | 'future'>;

/** The columns of numbers, in the order of a packed row. */
export const numberColumns = ({ targets, past, future }: NumberColumns): readonly string[] => [
  ...targets,
  ...past,
  ...future,
];

/** What becomes of missing values, in the order of `numberColumns`. */
export const missingStrategiesOf = (
  parameters: NumberColumns & Pick<SeriesParameters, 'missing'>,
): readonly MissingStrategy[] =>
  numberColumns(parameters).map((column) => strategyOf(parameters.missing, column));

/** The columns of numbers that must have a value in every row. */
export const completeColumns = (parameters: SeriesParameters): readonly string[] =>
  numberColumns(parameters).filter((column) => strategyOf(parameters.missing, column) === 'error');

/** Whether inputs are known over the horizon, so that the network reads on over its steps. */
export const knowsAhead = ({ future, calendar }: SeriesParameters): boolean =>
  future.length > 0 || calendar.length > 0;
