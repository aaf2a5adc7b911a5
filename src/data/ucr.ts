import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { Type, type Static } from '@sinclair/typebox';
import { choice, withOptions } from '../parameters/schema.ts';
import { missingParameter, shortestSetting } from './columns/missing.ts';
import { DataError, type DataContext, type DatasetRow } from './dataset.ts';
import { checkTable } from './table/check-table.ts';
import type { TableFormat } from './table/ensure-pack.ts';
import { fromTable } from './table/from-table.ts';
import {
  labelledSeries,
  settled,
  tableParameters,
  withTargetScaling,
  type TableParameters,
} from './table/parameters.ts';

const { validationFile, validationFraction, testFraction, splitSeed } = tableParameters;
const { standardize, standardizeTargets, folds, fold } = tableParameters;

const parameters = Type.Object(
  {
    file: Type.String({
      minLength: 1,
      description:
        'The training file: .ts, .arff or .tsv, plain or compressed. Where its name has _TRAIN, the file with _TEST beside it is the test part, also with another of these endings. A relative path starts at the folder of the spec that contains it.',
      examples: ['JapaneseVowels_TRAIN.ts'],
    }),
    validationFile,
    testFile: withOptions(tableParameters.testFile, {
      description: 'The test file. null: the one with _TEST in its name, or a fraction of file.',
    }),
    validationFraction,
    testFraction,
    splitSeed,
    task: choice(['classification', 'regression'], {
      default: 'classification',
      description: 'Whether the label of a sequence is a class or a number.',
    }),
    standardize,
    standardizeTargets,
    missing: withOptions(missingParameter, { default: 'interpolate' }),
    split: choice(['random', 'stratified'], {
      default: 'random',
      description:
        'How fractions and folds of file are drawn; stratified: each class has its share of every part.',
    }),
    folds,
    fold,
  },
  { additionalProperties: false },
);

type Parameters = Static<typeof parameters>;

/** The form of a file shows its content, and so does its compression: the two parts may differ in both. */
const forms = ['.ts', '.arff', '.tsv'].flatMap((form) => ['', '.gz', '.zst'].map((packed) => form + packed));
const endOfForm = /(\.(ts|arff|tsv))?(\.(gz|zst|zstd))?$/i;

/** The test file beside a training file: of the same ending, or else the only one of another ending. */
const testFileBeside = async (file: string, { baseDirectory }: DataContext): Promise<string | undefined> => {
  const same = file.replace(/_TRAIN(?=[^/]*$)/, '_TEST');
  if (same === file) return undefined;
  const isThere = async (name: string) =>
    (await stat(resolve(baseDirectory, name)).catch(() => undefined))?.isFile() === true;
  if (await isThere(same)) return same;
  const names = forms.map((form) => same.replace(endOfForm, form));
  const found: string[] = [];
  for (const name of names) if (await isThere(name)) found.push(name);
  const [only, second] = found;
  if (only === undefined || second === undefined) return only;
  throw new DataError({
    path: 'testFile',
    message: `Several files can be the test part of ${file}: ${found.join(', ')}.`,
    expected: 'one of them, named by testFile',
    help: `Write for example \`testFile: ${only}\`.`,
  });
};

/** The test file beside the training file, if the spec names none and wants one. */
const foundTestFile = async (chosen: Parameters, context: DataContext): Promise<string | undefined> => {
  const { file, testFile, testFraction, folds = null } = chosen;
  const isWanted = testFile === null && testFraction === null && folds === null;
  return isWanted ? testFileBeside(file, context) : undefined;
};

const withTestFile = async (chosen: Parameters, context: DataContext): Promise<TableParameters> => {
  const beside = await foundTestFile(chosen, context);
  return labelledSeries(beside === undefined ? chosen : { ...chosen, testFile: beside });
};

const table = fromTable(async (chosen: TableParameters): Promise<TableFormat> => {
  const [{ readUcr }, { nestedSink }] = await Promise.all([
    import('./table/read-ucr.ts'),
    import('./table/nested.ts'),
  ]);
  return { settings: settled(chosen), read: readUcr, layOut: nestedSink, key: ['ucr'] };
});

/** Files of the UCR and UEA archives of time series. */
export const ucr = {
  title: 'Time series of the UCR and UEA archives',
  description:
    'Files as the archives have them (timeseriesclassification.com): .ts, .arff and .tsv, with one or several dimensions, missing values, and sequences of different lengths. The features x[0], x[1], ... are the dimensions.',
  version: 1,
  parameters,
  files: ['file', 'validationFile', 'testFile'],
  besideFiles: async (chosen, context) => {
    const beside = await foundTestFile(chosen, context);
    return beside === undefined ? {} : { file: beside };
  },
  check: (chosen) => checkTable(labelledSeries(chosen)),
  configured: (chosen) => ({
    ...withTargetScaling(chosen),
    missing: shortestSetting(chosen.missing, labelledSeries(chosen).features ?? []),
  }),
  folds: (chosen) => chosen.folds ?? undefined,
  parts: (chosen) => table.parts(labelledSeries(chosen)),
  shape: async (chosen, context) => table.shape(await withTestFile(chosen, context), context),
  digest: async (chosen, context) => table.digest(await withTestFile(chosen, context), context),
  inspect: async (chosen, context) => table.inspect(await withTestFile(chosen, context), context),
  formatOf: (chosen: Parameters) => table.formatOf(labelledSeries(chosen)),
  load: async (chosen, context) => table.load(await withTestFile(chosen, context), context),
} as const satisfies DatasetRow<typeof parameters>;
