import { Type, type Static } from '@sinclair/typebox';
import { csvDecimal, csvDelimiter } from './csv-sequences.ts';
import type { DatasetRow } from './dataset.ts';
import { fromSeries } from './series/from-series.ts';
import type { SeriesFormat } from './series/format.ts';
import { seriesParameters } from './series/parameters.ts';

const parameters = Type.Object(
  {
    ...seriesParameters,
    delimiter: csvDelimiter,
    decimal: csvDecimal,
  },
  { additionalProperties: false },
);

const formatOf = async (chosen: Static<typeof parameters>): Promise<SeriesFormat> => {
  const [{ csvReader }, { numberIn, numberWithCommaIn }] = await Promise.all([
    import('./table/read-csv.ts'),
    import('./columns/cells.ts'),
  ]);
  const { delimiter, decimal } = chosen;
  return {
    parameters: chosen,
    read: csvReader(delimiter),
    numberIn: decimal === ',' ? numberWithCommaIn : numberIn,
    kind: 'csv',
    key: [delimiter, decimal],
  };
};

/** Forecasting of series from a CSV file. */
export const csvSeries = {
  title: 'Forecasting: series from your own CSV file',
  description:
    'CSV with a header row and one row a time step, of one series or of several. A network reads `window` steps and forecasts the next `horizon` steps of the targets. The parts follow one another in time, and everything that is measured (scales, means, seasons) is measured on the training part. Gaps and duplicates in time are reported with file and line.',
  version: 1,
  parameters,
  ...fromSeries(formatOf),
} as const satisfies DatasetRow<typeof parameters>;
