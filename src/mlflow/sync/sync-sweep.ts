import { createHash } from 'node:crypto';
import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import { masked, maskedEntry } from '../../system/secrets.ts';
import type { Plan } from '../../plan/plan.ts';
import { success } from '../../diagnostic/diagnostic.ts';
import type { Answer } from '../client/problem.ts';
import type { RunStatus } from '../client/wire.ts';
import { digestOfPart } from '../journal/digest.ts';
import { listFiles, type TrackedRun } from '../journal/record.ts';
import { sweepDirectory } from '../journal/sweeps.ts';
import { type Artifact, textArtifact } from '../projection/artifacts.ts';
import { imageKeysOf } from '../projection/images.ts';
import { sweepNote } from '../projection/notes.ts';
import { bestParams } from '../projection/params.ts';
import { savedView, viewFits } from '../projection/saved-view.ts';
import { resultsCsv, sweepMetrics, sweepResults, type SweepResults } from '../projection/sweep-results.ts';
import { runStatus } from '../projection/status.ts';
import { recordingTag, toPairs, userName } from '../projection/tags.ts';
import type { SyncContext } from './context.ts';
import { readCursor } from './cursor.ts';
import { ensureOutbox } from './ensure-outbox.ts';
import { openHistories } from './history.ts';
import type { Outbox } from './outbox.ts';
import { sendArtifacts } from './send-artifacts.ts';
import { sendBatch } from './send-batch.ts';
import { sendTags, sentTags } from './send-tags.ts';

/** A sweep on the disk. */
export interface TrackedSweep {
  readonly runsDirectory: string;
  readonly plan: Plan;
  /** Records of the runs that have begun, by run id. */
  readonly records: ReadonlyMap<string, TrackedRun>;
  /** Whether its runner lives. */
  readonly live: boolean;
}

/** A plan has no time of its own, so a sweep is distinguished from its copies by its folder. */
const sweepRecording = ({ runsDirectory, plan }: TrackedSweep): string =>
  createHash('sha256')
    .update(JSON.stringify([plan.sweepId, hostname(), resolve(runsDirectory)]))
    .digest('hex')
    .slice(0, 32);

/** Whether a sweep has a run of its own on the server: a single training needs none. */
export const hasParent = (plan: Plan): boolean => plan.runs.length > 1;

/** The address of a run's page, within the server's pages; nothing before the server has the run. */
const linkTo =
  ({ records }: TrackedSweep, { client, experimentId }: SyncContext) =>
  (id: string): string | undefined => {
    const record = records.get(id);
    const cursor = record && readCursor(record.directory, client.uri);
    return cursor && `#/experiments/${experimentId}/runs/${cursor.runId}`;
  };

const sweepTags = (sweep: TrackedSweep, results: SweepResults, context: SyncContext) => {
  const { plan, records } = sweep;
  const environment = [...records.values()].find((record) => record.environment)?.environment;
  return toPairs({
    'mlflow.user': userName(environment),
    'mlflow.source.name': plan.spec.path,
    'mlflow.source.type': 'LOCAL',
    'mlflow.source.git.commit': environment?.git?.commit,
    'mlflow.source.git.branch': environment?.git?.branch,
    'mlflow.source.git.repoURL': environment?.git?.remote,
    'mlflow.note.content': sweepNote(plan, results, linkTo(sweep, context)),
    'unroll.sweep': plan.sweepId,
    'unroll.best': results.best.map(({ run }) => run.id).join(' ') || undefined,
    ...context.tags,
    [recordingTag]: sweepRecording(sweep),
  });
};

/** Finds or creates the sweep's own run, which must exist before the runs that point at it. */
export const openSweepOutbox = (context: SyncContext, sweep: TrackedSweep): Promise<Answer<Outbox>> => {
  const { plan, runsDirectory, records } = sweep;
  return ensureOutbox(context, sweepDirectory(runsDirectory, plan), () => {
    const results = sweepResults(plan, records);
    const tags = sweepTags(sweep, results, context);
    const axes = plan.axes.map((axis) => axis.split('.').at(-1)).join(' x ');
    return success({
      recording: sweepRecording(sweep),
      fresh: {
        experimentId: context.experimentId,
        name: `sweep of ${plan.runs.length}: ${axes}`.slice(0, 250),
        user: userName(undefined),
        startTime: results.startedAt ?? Date.now(),
        tags,
      },
      carried: { ...sentTags(tags), tags: digestOfPart(tags) },
    });
  });
};

/** The worst of what its runs came to: one that was stopped can be gone on with, so a failure counts more. */
const sweepStatus = (
  { live, records }: TrackedSweep,
  { over, endedAt }: SweepResults,
): { status: RunStatus; endTime?: number } => {
  if (live) return { status: 'RUNNING' };
  const found = new Set([...records.values()].map((record) => runStatus(record).status));
  const status = !over
    ? 'KILLED'
    : found.has('FAILED')
      ? 'FAILED'
      : found.has('KILLED')
        ? 'KILLED'
        : 'FINISHED';
  return { status, ...(endedAt !== undefined && { endTime: endedAt }) };
};

/** The spec, the plan, the table of results, and what lies beside the plan, such as a report. */
const sweepArtifacts = (
  { plan, runsDirectory }: TrackedSweep,
  results: SweepResults,
): readonly Artifact[] => {
  const directory = sweepDirectory(runsDirectory, plan);
  return [
    textArtifact('spec.yaml', masked(plan.spec.text)),
    textArtifact('plan.json', `${JSON.stringify(plan, maskedEntry, 2)}\n`),
    textArtifact('results.csv', resultsCsv(plan, results)),
    ...listFiles(directory).map(({ path, size, changedMs }) => ({
      path,
      content: { file: join(directory, path) },
      size,
      digest: `${size}-${changedMs}`,
    })),
  ];
};

/**
 * Brings the sweep's own run up to date, after its runs: tags with the table of results always; metrics, files and status
 * once nothing is running any more.
 */
export const syncSweepRun = async (outbox: Outbox, sweep: TrackedSweep): Promise<Answer<undefined>> => {
  const { context } = outbox;
  const { runId } = outbox.cursor();
  const results = sweepResults(sweep.plan, sweep.records);
  const tags = sweepTags(sweep, results, context);
  const tagged = await sendTags(outbox, tags);
  if (!tagged.ok) return tagged;
  if (!sweep.live) {
    const metrics = sweepMetrics(sweep.plan, results);
    const measured = await outbox.once('endMetrics', metrics, async () => {
      const missing = await openHistories(context.client, runId).missing(metrics);
      // The same number of completed runs with another best value: the table in the description is right.
      return missing.ok ? sendBatch(context, runId, { metrics: missing.value.points }) : missing;
    });
    if (!measured.ok) return measured;
    const params = results.over ? bestParams(results, sweep.plan.axes) : [];
    const named = await outbox.once('bestParams', params, () => sendBatch(context, runId, { params }));
    if (!named.ok) return named;
    const stored = await sendArtifacts(outbox, sweepArtifacts(sweep, results));
    if (!stored.ok) return stored;
  }
  const status = sweepStatus(sweep, results);
  return outbox.once('status', status, () => context.client.updateRun(runId, status));
};

/** Publishes the chart view of a sweep. Returns its key for the link; undefined if the server does not show such views. */
export const publishView = async (outbox: Outbox, sweep: TrackedSweep): Promise<string | undefined> => {
  const { client, experimentId, savedViews } = outbox.context;
  if (!savedViews) return undefined;
  const statuses = [...sweep.records.values()].flatMap(({ status }) => (status ? [status] : []));
  if (statuses.length === 0) return undefined;
  const evaluations = [...sweep.records.values()].flatMap(({ evaluation }) => evaluation ?? []);
  const images = [...new Set(evaluations.flatMap(imageKeysOf))];
  const view = savedView(sweep.plan, {
    metricKeys: new Set(statuses.flatMap(({ outcome }) => Object.keys(outcome?.metrics ?? {}))),
    images: outbox.context.artifactGroups.has('images') ? images : [],
    parentRunId: outbox.cursor().runId,
    createdAt: statuses.reduce((least, { startedAt }) => Math.min(least, startedAt), Infinity),
  });
  if (!viewFits(view)) return undefined;
  const published = await outbox.once('view', view.tag, () =>
    client.setExperimentTag(experimentId, view.tag),
  );
  return published.ok ? view.key : undefined;
};
