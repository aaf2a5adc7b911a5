import type { DatasetParts, SequenceShape } from '../data/dataset.ts';
import type { RunConfig } from '../language/config.ts';
import { isNumberTask } from '../data/task.ts';
import {
  goalOf,
  metricsOf,
  requestOf,
  type MetricRequests,
  type OwnMetrics,
  type Part,
  nameIn,
} from '../metrics/metrics.ts';
import type { Diagnostic } from '../diagnostic/diagnostic.ts';
import { nearest } from '../diagnostic/nearest.ts';
import { find } from '../language/located.ts';
import { withExtends, type Spec } from '../language/validate-spec.ts';

/** What decides which metrics runs of a dataset record. */
interface MeasuredDataset {
  readonly shape: SequenceShape;
  readonly parts: DatasetParts | undefined;
}

/** Where a metric is named, and on which parts it may be measured there. */
interface Use {
  readonly metric: string;
  readonly path: readonly (string | number)[];
  readonly parts: readonly Part[];
}

const anyPart = ['test', 'val', 'train'] as const;

/** Checks that every dataset of the sweep has the metrics of the objective, of pruning and of each expectation. */
export const checkMetrics = (
  spec: Spec,
  {
    datasets,
    configurations,
  }: {
    readonly datasets: readonly MeasuredDataset[];
    readonly configurations: readonly { readonly config: RunConfig }[];
  },
): Diagnostic[] => {
  const requests = {
    accuracyFirst128: configurations.every(({ config }) => config.train.accuracyFirst128),
  };
  const own = spec.registry.metric ?? {};
  const { pruning } = spec.sweep;
  const uses: readonly Use[] = [
    ...(spec.objective ? [{ ...spec.objective, path: ['objective', 'metric'], parts: anyPart }] : []),
    ...(pruning ? [{ ...pruning, path: ['sweep', 'pruning', 'metric'], parts: ['val' as const] }] : []),
    ...spec.expect.map(({ metric }, index) => ({
      metric,
      path: ['expect', index, 'metric'],
      parts: anyPart,
    })),
  ];
  const problems = uses.flatMap((use) => {
    const recordedOf = (dataset: MeasuredDataset) =>
      recordedMetrics(dataset, { parts: use.parts, requests, own });
    const lacking = datasets.find((dataset) => !recordedOf(dataset).includes(use.metric));
    return lacking ? [notRecorded(spec, { ...use, recorded: recordedOf(lacking) }, lacking)] : [];
  });
  return withExtends(spec.document, problems);
};

/** The metrics that runs of a dataset record on some of its parts. */
const recordedMetrics = (
  { shape, parts: known }: MeasuredDataset,
  {
    parts,
    requests,
    own,
  }: { readonly parts: readonly Part[]; readonly requests: MetricRequests; readonly own: OwnMetrics },
): readonly string[] =>
  parts
    .filter((part) => part !== 'val' || known?.validation !== false)
    .flatMap((part) => metricsOf(shape.task, part, { requests, own }));

const notRecorded = (
  { document: { root }, registry: { metric: own = {} } }: Spec,
  { metric, path, recorded }: Use & { readonly recorded: readonly string[] },
  dataset: MeasuredDataset,
): Diagnostic => {
  const lacksValidation = metricsOf(dataset.shape.task, 'val', { own }).includes(metric);
  const near = nearMetric(metric, recorded);
  return {
    code: 'conflict',
    severity: 'error',
    message: lacksValidation
      ? `${metric} is not recorded: the dataset has no validation part.`
      : whyNotMeasured(metric, dataset.shape, own),
    at: (find(root, ...path) ?? find(root, ...path.slice(0, -1)) ?? root).at,
    expected: recorded.join(', ') || 'a dataset with a validation part',
    got: metric,
    ...(near !== undefined && !lacksValidation && { nearest: near }),
    help: lacksValidation
      ? 'Give the dataset a validation part (validationSize or validationFraction above 0, or a validationFile).'
      : near === undefined
        ? howToRecord(metric, dataset)
        : `Did you mean ${near}?`,
  };
};

/** The fix for a metric that resembles no recorded one. */
const howToRecord = (metric: string, { shape }: MeasuredDataset): string => {
  const request = requestOf(metric, shape.task);
  return request === undefined
    ? 'Choose one of these.'
    : `Add \`${request}: true\` to train, or choose one of these.`;
};

/** What was most likely meant: a metric that is written right is meant, be it on another part. */
export const nearMetric = (metric: string, recorded: readonly string[]): string | undefined =>
  goalOf(metric) === undefined
    ? nearest(metric, recorded)
    : recorded.find((one) => nameIn(one) === nameIn(metric));

/** Returns why the runs of a dataset have no such metric, whatever its parts. */
export const whyNotMeasured = (metric: string, { task }: SequenceShape, own: OwnMetrics): string => {
  const name = nameIn(metric);
  const request = requestOf(metric, task);
  if (request !== undefined) return `${metric} is recorded only with \`${request}: true\` in train.`;
  if (goalOf(metric) === undefined) return `There is no metric ${metric}.`;
  const measuredOn = anyPart.filter((part) => metricsOf(task, part, { own }).includes(`${part}/${name}`));
  if (measuredOn.length > 0)
    return `${metric} is not recorded: ${name} is measured on ${measuredOn.join(' and ')} only.`;
  const size = isNumberTask(task) ? '' : ` with ${task.classes} classes`;
  return `${metric} is not recorded: the dataset is for ${task.kind}${size}.`;
};
