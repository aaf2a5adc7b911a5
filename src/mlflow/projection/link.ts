import type { Objective } from '../../language/config.ts';

/** A sweep with its own run on the server. */
export interface SweepOnServer {
  readonly sweepId: string;
  readonly parentRunId: string;
}

/** What the compare view is to show. */
export interface CompareTarget {
  readonly uri: string;
  readonly experimentId: string;
  readonly objective: Objective;
  /** Shows this sweep's runs only. */
  readonly sweep?: SweepOnServer;
  /** A saved view of the experiment. */
  readonly viewKey?: string;
}

/** A run has one such tag for each sweep with which it was sent; its value is the id of that sweep's own run. */
export const membershipTag = (sweepId: string): string => `unroll.sweep.${sweepId}`;

/** The search filter for a sweep's runs, without the sweep's own. */
export const runsOf = ({ sweepId, parentRunId }: SweepOnServer): string =>
  `tags."${membershipTag(sweepId)}" = '${parentRunId}'`;

/**
 * The address of the charts of a sweep's runs. Without `workflowType` a first visitor sees another mode of the server,
 * and without an order other than by time the runs are folded under their parent and the charts are empty. A saved view
 * brings its own filter and order: the page passes a view over when the address has any of these.
 */
export const compareLink = ({ uri, experimentId, objective, sweep, viewKey }: CompareTarget): string => {
  const query = new URLSearchParams({
    workflowType: 'machine_learning',
    compareRunsMode: 'CHART',
    ...(viewKey !== undefined
      ? { viewStateShareKey: viewKey }
      : {
          ...(sweep && { searchFilter: runsOf(sweep) }),
          orderByKey: `metrics.\`${objective.metric}\``,
          orderByAsc: String(objective.goal === 'minimize'),
        }),
  });
  // The page reads percent-encoded spaces only.
  return `${uri}/#/experiments/${experimentId}/runs?${query.toString().replaceAll('+', '%20')}`;
};
