import { createHash } from 'node:crypto';
import { Type, type Static } from '@sinclair/typebox';
import type { ParameterIssue } from '../parameters/row.ts';
import { nullable } from '../parameters/schema.ts';
import type { DataContext, DatasetRow } from './dataset.ts';
import { checkTable } from './table/check-table.ts';
import { fromTable } from './table/from-table.ts';
import {
  labelledSeries,
  settled,
  tableParameters,
  tableParts,
  type TableParameters,
} from './table/parameters.ts';
import type { ClassSizes } from './table/read-blocks.ts';

const { validationFile, testFile, validationFraction, testFraction, splitSeed } = tableParameters;
const { standardize, folds, fold } = tableParameters;

const sizesOf = (file: string, example: string) =>
  Type.String({
    minLength: 1,
    description: `A file with the number of blocks that each class has in ${file}, such as 31 35 88. The first blocks are of class 1.`,
    examples: [example],
  });

const parameters = Type.Object(
  {
    file: Type.String({
      minLength: 1,
      description:
        'The training data: a line is a step, its numbers are separated by spaces or commas, and an empty line ends a sequence. A relative path starts at the folder of the spec that contains it.',
      examples: ['ae.train'],
    }),
    sizes: sizesOf('file', 'size_ae.train'),
    validationFile,
    validationSizes: nullable(sizesOf('validationFile', 'size_ae.validation')),
    testFile,
    testSizes: nullable(sizesOf('testFile', 'size_ae.test')),
    validationFraction,
    testFraction,
    splitSeed,
    standardize,
    folds,
    fold,
  },
  { additionalProperties: false },
);

type Parameters = Static<typeof parameters>;

/** The files of data, and the parameter with the sizes of each. */
const sizesBy = { file: 'sizes', validationFile: 'validationSizes', testFile: 'testSizes' } as const;

/** Each file needs its sizes, and sizes need a file. */
const checkSizes = (chosen: Parameters): readonly ParameterIssue[] =>
  Object.entries(sizesBy).flatMap(([file, of]): readonly ParameterIssue[] => {
    const [data, own] = [chosen[file as keyof typeof sizesBy], chosen[of]];
    if ((data === null) === (own === null)) return [];
    return data === null
      ? [
          {
            path: of,
            message: `${of} is the sizes of ${file}, which is not there.`,
            expected: `${file}, too`,
            help: `Name the data with \`${file}\`, or remove ${of}.`,
          },
        ]
      : [
          {
            path: file,
            message: `${file} has no ${of}, so the classes of its sequences are not known.`,
            expected: `${of}, too`,
            help: `Add for example \`${of}: size_${data}\`.`,
          },
        ];
  });

const readSizes = async (
  chosen: Parameters,
  context: DataContext,
): Promise<Readonly<Record<string, ClassSizes>>> => {
  const { readClassSizes } = await import('./table/read-blocks.ts');
  const found: Record<string, ClassSizes> = {};
  for (const [file, of] of Object.entries(sizesBy)) {
    const name = chosen[of];
    if (name !== null) found[file] = await readClassSizes(name, context, of);
  }
  return found;
};

const tableOf = async (chosen: Parameters, context: DataContext) => {
  const sizes = await readSizes(chosen, context);
  const [{ readBlocks }, { nestedSink }] = await Promise.all([
    import('./table/read-blocks.ts'),
    import('./table/nested.ts'),
  ]);
  const read = readBlocks((parameter) => sizes[parameter] ?? []);
  const entry = fromTable((settings: TableParameters) =>
    Promise.resolve({ settings: settled(settings), read, layOut: nestedSink, key: ['blocks', sizes] }),
  );
  return { entry, sizes, settings: labelledSeries(chosen) };
};

/** Sequences as blocks of lines, as the Japanese Vowels of the UCI archive. */
export const blockSequences = {
  title: 'Sequences as blocks of lines',
  description:
    'Text files in which a line is a step and an empty line ends a sequence, with the number of sequences of each class in a second file: ae.train and size_ae.train of the Japanese Vowels of the UCI archive. The features x[0], x[1], ... are the numbers of a line, the classes 1, 2, ...',
  version: 1,
  parameters,
  files: ['file', 'validationFile', 'testFile', 'sizes', 'validationSizes', 'testSizes'],
  check: (chosen) => [...checkSizes(chosen), ...checkTable(labelledSeries(chosen))],
  folds: (chosen) => chosen.folds ?? undefined,
  parts: (chosen) => tableParts(labelledSeries(chosen)),
  shape: async (chosen, context) => {
    const { entry, settings } = await tableOf(chosen, context);
    return entry.shape(settings, context);
  },
  digest: async (chosen, context) => {
    const { entry, settings, sizes } = await tableOf(chosen, context);
    const hash = createHash('sha256').update(await entry.digest(settings, context));
    return hash.update(JSON.stringify(sizes)).digest('hex');
  },
  inspect: async (chosen, context) => {
    const { entry, settings } = await tableOf(chosen, context);
    return entry.inspect(settings, context);
  },
  load: async (chosen, context) => {
    const { entry, settings } = await tableOf(chosen, context);
    return entry.load(settings, context);
  },
} as const satisfies DatasetRow<typeof parameters>;
