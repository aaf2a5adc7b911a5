import type { Objective } from '../../../spec/plan.ts';

/** What the compare view is to show. */
export interface CompareTarget {
  readonly uri: string;
  readonly experimentId: string;
  readonly objective: Objective;
  /** Shows this sweep's runs only. */
  readonly parentRunId?: string;
  /** A saved view of the experiment. */
  readonly viewKey?: string;
}

/**
 * The address of the charts of a sweep's runs. Without `workflowType` a first visitor sees another mode of the server,
 * and without an order other than by time the runs are folded under their parent and the charts are empty.
 */
export const compareLink = ({
  uri,
  experimentId,
  objective,
  parentRunId,
  viewKey,
}: CompareTarget): string => {
  const query = new URLSearchParams({
    workflowType: 'machine_learning',
    compareRunsMode: 'CHART',
    ...(parentRunId !== undefined && { searchFilter: `tags."mlflow.parentRunId" = '${parentRunId}'` }),
    orderByKey: `metrics.\`${objective.metric}\``,
    orderByAsc: String(objective.goal === 'minimize'),
    ...(viewKey !== undefined && { viewStateShareKey: viewKey }),
  });
  // The page reads percent-encoded spaces only.
  return `${uri}/#/experiments/${experimentId}/runs?${query.toString().replaceAll('+', '%20')}`;
};

/** The address of one run's page. */
export const runLink = (uri: string, experimentId: string, runId: string): string =>
  `${uri}/#/experiments/${experimentId}/runs/${runId}`;
