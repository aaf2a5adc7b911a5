import { Type, type Static } from '@sinclair/typebox';
import type { DatasetRow } from './dataset.ts';
import type { SeriesFormat } from './series/format.ts';
import { fromSeries } from './series/from-series.ts';
import { seriesParameters } from './series/parameters.ts';

const parameters = Type.Object(seriesParameters, { additionalProperties: false });

/** Forecasting of series from a format that has no settings of its own. */
const plainSeries = (kind: SeriesFormat['kind'], reader: () => Promise<SeriesFormat['read']>) => ({
  version: 1,
  parameters,
  ...fromSeries(async (chosen: Static<typeof parameters>): Promise<SeriesFormat> => ({
    parameters: chosen,
    read: await reader(),
    kind,
    key: null,
  })),
});

export const jsonlSeries = {
  title: 'Forecasting: series from your own JSON lines file',
  description:
    'One JSON object a line, and one line a time step, of one series or of several; otherwise as `csv-series`.',
  ...plainSeries('jsonl', async () => (await import('./table/read-jsonl.ts')).readJsonl),
} as const satisfies DatasetRow<typeof parameters>;

export const parquetSeries = {
  title: 'Forecasting: series from your own Parquet file',
  description:
    'One row a time step, of one series or of several; dates and timestamps are times. Otherwise as `csv-series`.',
  ...plainSeries('parquet', async () => (await import('./table/read-parquet.ts')).readParquet),
} as const satisfies DatasetRow<typeof parameters>;
