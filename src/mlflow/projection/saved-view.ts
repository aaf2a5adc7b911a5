import { createHash } from 'node:crypto';
import { isReplicateKey, type Plan } from '../../plan/plan.ts';
import type { ImageKey } from './images.ts';
import { runsOf } from './link.ts';
import { cleanKey, limits } from '../client/limits.ts';
import type { WirePair } from '../client/wire.ts';

/** A chart view that the server's page restores from an experiment's tag. Its form is the page's own and undocumented. */
export interface SavedView {
  readonly key: string;
  readonly tag: WirePair;
}

export interface ViewFacts {
  /** What the runs have recorded. */
  readonly metricKeys: ReadonlySet<string>;
  /** The images that runs keep of their end evaluation. */
  readonly images: readonly ImageKey[];
  /** The view shows this run's children. */
  readonly parentRunId: string;
  /** Milliseconds since 1970; part of the view's form. */
  readonly createdAt: number;
}

const identifier = (...parts: readonly string[]): string =>
  createHash('sha256').update(parts.join(' ')).digest('hex').slice(0, 20);

/** Curves that get their own chart if the runs have them. */
const curves = ['train/loss', 'train/accuracy', 'val/loss', 'val/accuracy', 'train/learningRate'];

/**
 * Parallel coordinates over the axes and bars of the objective, the learning curves, a scatter plot of each numeric axis
 * against the objective, and what the networks took for what: all grouped over seeds where there are several.
 */
export const savedView = (
  plan: Plan,
  { metricKeys, images, parentRunId, createdAt }: ViewFacts,
): SavedView => {
  const objective = cleanKey(plan.objective.metric);
  const axes = plan.axes.filter((axis) => !isReplicateKey(axis));
  // An axis over whole objects shows by its name.
  const params = axes.map((axis) => {
    const value = plan.runs[0]?.varying[axis];
    return cleanKey(value !== null && typeof value === 'object' ? `${axis}.name` : axis);
  });
  const numeric = params.filter((_, index) =>
    plan.runs.every(({ varying }) => typeof varying[axes[index] ?? ''] === 'number'),
  );
  const id = (...parts: readonly string[]) => identifier(plan.sweepId, ...parts);
  const sections = {
    overview: id('section', 'overview'),
    curves: id('section', 'curves'),
    axes: id('section', 'axes'),
    images: id('section', 'images'),
  };
  const common = { deleted: false, isGenerated: false, runsCountToCompare: 100 };

  const charts = [
    ...(params.length > 0
      ? [
          {
            ...common,
            type: 'PARALLEL',
            uuid: id('parallel'),
            metricSectionId: sections.overview,
            displayName: 'What leads to the objective',
            selectedParams: params,
            selectedMetrics: [objective],
            showAllRuns: true,
          },
        ]
      : []),
    {
      ...common,
      type: 'BAR',
      uuid: id('bar'),
      metricSectionId: sections.overview,
      metricKey: objective,
    },
    ...curves
      .filter((key) => metricKeys.has(key))
      .map((key) => ({
        ...common,
        type: 'LINE',
        uuid: id('line', key),
        metricSectionId: sections.curves,
        metricKey: key,
        selectedMetricKeys: [key],
        xAxisKey: 'step',
        xAxisScaleType: 'linear',
        scaleType: 'linear',
        lineSmoothness: 0,
        selectedXAxisMetricKey: '',
        selectedYAxisMetricKey: 'metric',
        yAxisExpressions: [],
        range: {},
        displayPoints: false,
      })),
    ...numeric.map((param) => ({
      ...common,
      type: 'SCATTER',
      uuid: id('scatter', param),
      metricSectionId: sections.axes,
      displayName: `${param} and ${objective}`,
      xaxis: { key: param, type: 'PARAM' },
      yaxis: { key: objective, type: 'METRIC' },
    })),
    // One table with a column for each run. The page would add a chart for each image that has none, so it has one.
    ...(images.length > 0
      ? [images, ...(images.length > 1 ? images.map((key) => [key]) : [])].map((keys, index) => ({
          ...common,
          type: 'IMAGE',
          uuid: id('image', ...keys),
          metricSectionId: sections.images,
          imageKeys: keys,
          step: 0,
          deleted: index > 0,
        }))
      : []),
  ];
  const section = (uuid: string, name: string, columns = 2) => ({
    uuid,
    name,
    display: true,
    isReordered: true,
    columns,
    cardHeight: columns === 1 ? 460 : 360,
  });
  const state = {
    searchFilter: runsOf({ sweepId: plan.sweepId, parentRunId }),
    orderByKey: `metrics.\`${objective}\``,
    orderByAsc: plan.objective.goal === 'minimize',
    runsHiddenMode: 'SHOW_ALL',
    selectedColumns: [...params.map((param) => `params.\`${param}\``), `metrics.\`${objective}\``],
    ...(plan.axes.some(isReplicateKey) &&
      params.length > 0 && {
        groupBy: {
          aggregateFunction: 'average',
          groupByKeys: params.map((groupByData) => ({ mode: 'param', groupByData })),
        },
      }),
    // Keeps the order below; the page would sort by name, and put what else it finds between.
    isAccordionReordered: true,
    compareRunSections: [
      section(sections.overview, 'Comparison'),
      section(sections.curves, 'Learning curves'),
      ...(numeric.length > 0 ? [section(sections.axes, 'By parameter')] : []),
      // Over the whole width the runs' images are side by side.
      ...(images.length > 0 ? [section(sections.images, 'Test examples', 1)] : []),
    ],
    compareRunCharts: charts,
  };
  // The same spec, run by somebody else into the same experiment, is another sweep there.
  const key = `unroll-${plan.sweepId}-${parentRunId.slice(0, 8)}`;
  const value = JSON.stringify({
    name: `Unroll sweep ${plan.sweepId}`,
    createdAt,
    updatedAt: createdAt,
    state: JSON.stringify(state),
  });
  return { key, tag: { key: `mlflow.sharedViewState.${key}`, value } };
};

/** Whether the view fits into a tag; a sweep over very many axes may not. */
export const viewFits = ({ tag }: SavedView): boolean => tag.value.length <= limits.experimentTagLength;
