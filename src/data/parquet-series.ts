import { Type, type Static } from '@sinclair/typebox';
import type { DatasetRow } from './dataset.ts';
import { fromSeries } from './series/from-series.ts';
import type { SeriesFormat } from './series/format.ts';
import { seriesParameters } from './series/parameters.ts';

const parameters = Type.Object(seriesParameters, { additionalProperties: false });

const formatOf = async (chosen: Static<typeof parameters>): Promise<SeriesFormat> => {
  const { readParquet } = await import('./table/read-parquet.ts');
  return { parameters: chosen, read: readParquet, kind: 'parquet', key: null };
};

/** Forecasting of series from a Parquet file. */
export const parquetSeries = {
  title: 'Forecasting: series from your own Parquet file',
  description:
    'One row a time step, of one series or of several; dates and timestamps are times. Otherwise as `csv-series`.',
  version: 1,
  parameters,
  ...fromSeries(formatOf),
} as const satisfies DatasetRow<typeof parameters>;
