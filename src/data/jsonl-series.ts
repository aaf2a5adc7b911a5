import { Type, type Static } from '@sinclair/typebox';
import type { DatasetRow } from './dataset.ts';
import { fromSeries } from './series/from-series.ts';
import type { SeriesFormat } from './series/format.ts';
import { seriesParameters } from './series/parameters.ts';

const parameters = Type.Object(seriesParameters, { additionalProperties: false });

const formatOf = async (chosen: Static<typeof parameters>): Promise<SeriesFormat> => {
  const { readJsonl } = await import('./table/read-jsonl.ts');
  return { parameters: chosen, read: readJsonl, kind: 'jsonl', key: null };
};

/** Forecasting of series from a file of JSON lines. */
export const jsonlSeries = {
  title: 'Forecasting: series from your own JSON lines file',
  description:
    'One JSON object a line, and one line a time step, of one series or of several; otherwise as `csv-series`.',
  version: 1,
  parameters,
  ...fromSeries(formatOf),
} as const satisfies DatasetRow<typeof parameters>;
