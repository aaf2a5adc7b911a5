import { Type, type Static } from '@sinclair/typebox';
import { addedLater, choice, nullable } from '../parameters/schema.ts';
import type { DatasetRow } from './dataset.ts';
import type { TableFormat } from './table/ensure-pack.ts';
import { fromTable } from './table/from-table.ts';
import { checkTable } from './table/check-table.ts';
import { settled, tableParameters } from './table/parameters.ts';

export const csvDelimiter = Type.String({
  minLength: 1,
  maxLength: 1,
  default: ',',
  description:
    'The character between two cells. With the default, a semicolon, tab or bar is found where the first row has one.',
  examples: [',', ';', '\t'],
});

export const csvDecimal = choice(['.', ','], {
  default: '.',
  description:
    'What numbers have before their decimals. With a comma, another delimiter separates the cells.',
});

const parameters = Type.Object(
  {
    ...tableParameters,
    delimiter: csvDelimiter,
    featuresPerStep: Type.Integer({
      minimum: 1,
      default: 1,
      description: 'wide: how many feature columns, side by side, make one step.',
    }),
    length: nullable(
      Type.String({
        minLength: 1,
        description:
          'wide: the column of the number of steps. null: a sequence ends where its cells become empty.',
        examples: ['steps'],
      }),
    ),
    decimal: addedLater(csvDecimal),
  },
  { additionalProperties: false },
);

type Parameters = Static<typeof parameters>;

const formatOf = async (chosen: Parameters): Promise<TableFormat> => {
  const [{ csvReader }, { longSink }, { wideSink }, { numberIn, numberWithCommaIn }] = await Promise.all([
    import('./table/read-csv.ts'),
    import('./table/long.ts'),
    import('./table/wide.ts'),
    import('./columns/cells.ts'),
  ]);
  const { layout, delimiter, featuresPerStep, length, decimal = '.' } = chosen;
  return {
    settings: settled(chosen),
    read: csvReader(delimiter),
    numberIn: decimal === ',' ? numberWithCommaIn : numberIn,
    layOut: (context, available) =>
      layout === 'long'
        ? longSink(context, available)
        : wideSink(context, available, { featuresPerStep, length }),
    key: ['csv', delimiter, featuresPerStep, length, decimal],
  };
};

/** Parameters of `csv-sequences` alone, for the wide layout. */
const checkWide = ({ layout, featuresPerStep, length, targets, features }: Parameters) => {
  const unused = (path: string) => ({
    path,
    message: `The long layout does not use ${path}.`,
    expected: `no ${path}`,
    help: 'Remove it, or use layout: wide.',
  });
  return [
    ...(layout === 'long' && featuresPerStep !== 1 ? [unused('featuresPerStep')] : []),
    ...(layout === 'long' && length !== null ? [unused('length')] : []),
    ...(length !== null && [...targets, ...(features ?? [])].includes(length)
      ? [
          {
            path: 'length',
            message: `The column ${JSON.stringify(length)} is used twice.`,
            expected: 'each column in one place only',
            help: 'Name it in one of length, features and targets.',
          },
        ]
      : []),
  ];
};

/** Sequences of numbers from CSV files. */
export const csvSequences = {
  title: 'Sequences from your own CSV files',
  description:
    'CSV with a header row, one row a step (long) or one row a sequence (wide). Bad rows are reported all at once, with file and line; none is skipped. The first use packs a file into the cache, so files may be larger than the memory.',
  version: 1,
  parameters,
  check: (chosen) => [...checkTable(chosen), ...checkWide(chosen)],
  ...fromTable(formatOf),
} as const satisfies DatasetRow<typeof parameters>;
