import { encodeNumber } from '../../system/json.ts';
import { type MetricSeries, readMetricSeries } from '../../record/read-metrics.ts';
import { cleanKey } from '../client/limits.ts';
import type { WireMetric } from '../client/wire.ts';
import { stepOnServer } from '../journal/metric-file.ts';
import type { TrackedRun } from '../journal/record.ts';
import { type DatasetContext, datasetKey } from './datasets.ts';
import { endMetrics } from './end-metrics.ts';

const contextOf = (metric: string): DatasetContext | undefined => {
  const [part] = metric.split('/');
  if (part === 'train' || part === 'test') return part;
  return part === 'val' ? 'validation' : undefined;
};

/** The parts of the data that a run has metrics of. */
export const measuredContexts = ({ status }: TrackedRun): readonly DatasetContext[] => {
  const measured = Object.keys(status?.outcome?.metrics ?? {}).map(contextOf);
  return (['train', 'validation', 'test'] as const).filter(
    (context) => context !== 'validation' || measured.includes(context),
  );
};

/**
 * The metrics of the weights that a run keeps, for its logged model: the same points as in the history of the run, which
 * the server therefore does not store again, each with the part of the data that it is of.
 */
export const modelMetrics = (record: TrackedRun, modelId: string): readonly WireMetric[] => {
  const { run, status, directory } = record;
  const series = readMetricSeries(directory);
  const ends = new Map(endMetrics(record).map((point) => [point.key, point]));
  return Object.keys(status?.outcome?.metrics ?? {}).flatMap((metric): readonly WireMetric[] => {
    const context = contextOf(metric);
    const point = ends.get(cleanKey(metric)) ?? lastPoint(metric, series.get(metric));
    if (!context || !point) return [];
    const { name, digest } = datasetKey(run, context);
    return [{ ...point, model_id: modelId, dataset_name: name, dataset_digest: digest }];
  });
};

const lastPoint = (metric: string, series: MetricSeries | undefined): WireMetric | undefined => {
  const [step, timestamp, value] = [series?.steps.at(-1), series?.times.at(-1), series?.values.at(-1)];
  return step === undefined || timestamp === undefined || value === undefined
    ? undefined
    : { key: cleanKey(metric), value: encodeNumber(value), timestamp, step: stepOnServer(metric, step) };
};
