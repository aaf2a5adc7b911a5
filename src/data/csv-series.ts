import { Type, type Static } from '@sinclair/typebox';
import type { DatasetRow } from './dataset.ts';
import { fromSeries } from './series/from-series.ts';
import type { SeriesFormat } from './series/load-series.ts';
import { seriesParameters } from './series/parameters.ts';

const parameters = Type.Object(
  {
    ...seriesParameters,
    delimiter: Type.String({
      minLength: 1,
      maxLength: 1,
      default: ',',
      description: 'The character between two cells.',
      examples: [',', ';', '\t'],
    }),
  },
  { additionalProperties: false },
);

const formatOf = async (chosen: Static<typeof parameters>): Promise<SeriesFormat> => {
  const { csvReader } = await import('./table/read-csv.ts');
  return { parameters: chosen, read: csvReader(chosen.delimiter), kind: 'csv', key: chosen.delimiter };
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
