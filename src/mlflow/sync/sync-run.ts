import { wait } from '../client/backoff.ts';
import { success } from '../../diagnostic/diagnostic.ts';
import { failedBy, type Answer, type Problem, problem } from '../client/problem.ts';
import { fileNames } from '../../record/run-files.ts';
import { digestOfPart } from '../journal/digest.ts';
import { isOver, type TrackedRun } from '../journal/record.ts';
import { runArtifacts } from '../projection/artifacts.ts';
import { runDatasets } from '../projection/datasets.ts';
import { endMetrics } from '../projection/end-metrics.ts';
import { recordedShape } from '../projection/mlmodel.ts';
import { measuredContexts } from '../projection/model-metrics.ts';
import { membershipTag, type SweepOnServer } from '../projection/link.ts';
import { mlflowRunName } from '../projection/names.ts';
import { runParams } from '../projection/params.ts';
import { runStatus } from '../projection/status.ts';
import { runTags, type SweepPlace, toPairs, userName } from '../projection/tags.ts';
import type { SyncContext } from './context.ts';
import { forgetCursor, readCursor } from './cursor.ts';
import { ensureOutbox } from './ensure-outbox.ts';
import { openHistories } from './history.ts';
import { openOutbox, type Outbox } from './outbox.ts';
import { sendArtifacts, sendModel } from './send-artifacts.ts';
import { cutBatches, sendBatch } from './send-batch.ts';
import { sendTags, sentTags } from './send-tags.ts';
import { sendMetrics } from './send-metrics.ts';

/** What a call of `syncRun` achieved. */
export interface RunSynced {
  readonly runId: string;
  readonly points: number;
  readonly rejected: number;
  /** Whether the server has all there is, the end included. */
  readonly complete: boolean;
  /** Whether files are all that the server lacks, because it cannot store them. */
  readonly withoutFiles: boolean;
  /** Whether there is more to send at once. */
  readonly more: boolean;
}

const openRunOutbox = (
  context: SyncContext,
  record: TrackedRun,
  place: SweepPlace | undefined,
): Promise<Answer<Outbox>> =>
  ensureOutbox(context, record.directory, () => {
    const { run, status, environment, recording } = record;
    if (recording === undefined) return problem('invalid', 'The run has nothing to record yet.');
    const tags = runTags(record, place, context);
    return success({
      recording,
      fresh: {
        experimentId: context.experimentId,
        name: mlflowRunName(run, place?.plan.axes ?? []),
        user: userName(environment),
        startTime: Math.trunc(status?.startedAt ?? record.lastTime),
        tags,
      },
      carried: { ...sentTags(tags), tags: digestOfPart(tags), status: digestOfPart({ status: 'RUNNING' }) },
    });
  });

/** Parameters and tags; they never change the numbers, so they go first. */
const sendDescription = async (
  outbox: Outbox,
  record: TrackedRun,
  place: SweepPlace | undefined,
): Promise<Answer<undefined>> => {
  const { context } = outbox;
  const { runId } = outbox.cursor();
  const params = runParams(record.run);
  const sent = await outbox.once('params', params, async () => {
    for (const batch of cutBatches({ params })) {
      const arrived = await sendBatch(context, runId, batch);
      if (!arrived.ok) return arrived;
    }
    return success(undefined);
  });
  return sent.ok ? sendTags(outbox, runTags(record, place, context)) : sent;
};

/** The points that are known at the end only. They are a function of the record, so SQL stores drop what they have. */
const sendEndMetrics = async (outbox: Outbox, record: TrackedRun): Promise<Answer<unknown>> => {
  const metrics = endMetrics(record);
  if (metrics.length === 0) return success(undefined);
  return outbox.once('endMetrics', metrics, async () => {
    if (outbox.context.dedupes) return sendBatch(outbox.context, outbox.cursor().runId, { metrics });
    const missing = await openHistories(outbox.context.client, outbox.cursor().runId).missing(metrics);
    if (!missing.ok) return missing;
    return sendBatch(outbox.context, outbox.cursor().runId, { metrics: missing.value.points });
  });
};

/** Two runs that name the same new dataset at once: the server refuses one of them, which then finds it there. */
const logInputs = async (
  { context, cursor }: Outbox,
  datasets: ReturnType<typeof runDatasets>,
): Promise<Answer<undefined>> => {
  for (let tries = 1; ; tries++) {
    const logged = await context.client.logInputs(cursor().runId, datasets);
    if (logged.ok || logged.errors[0].kind !== 'duplicate' || tries === 5) return logged;
    await wait(100 * tries, context.signal);
  }
};

/** Marks a run that was sent with a later sweep as one of this sweep, too, so that this sweep's link shows it. */
export const shareRun = async (
  context: SyncContext,
  record: TrackedRun,
  sweep: SweepOnServer,
): Promise<Answer<undefined>> => {
  const cursor = readCursor(record.directory, context.client.uri);
  if (!cursor) return success(undefined);
  const outbox = openOutbox(context, record.directory, cursor);
  const tags = toPairs({ [membershipTag(sweep.sweepId)]: sweep.parentRunId });
  const shared = await outbox.once(`shared:${sweep.sweepId}`, tags, () =>
    sendBatch(outbox.context, cursor.runId, { tags }),
  );
  return shared.ok ? shared : forgetIfGone(outbox, shared.errors[0]);
};

/**
 * Brings the server up to the state of a run's directory: description, metrics, then (once the run is over) end metrics,
 * datasets, files and model, and its status last, so that a run that shows as ended is complete.
 */
export const syncRun = async (
  context: SyncContext,
  record: TrackedRun,
  place: SweepPlace | undefined,
): Promise<Answer<RunSynced>> => {
  const opened = await openRunOutbox(context, record, place);
  if (!opened.ok) return opened;
  const outbox = opened.value;
  let points = 0;
  let missingFiles = 0;
  const synced = ({ complete = false, withoutFiles = false, more = false }): Answer<RunSynced> => {
    const { runId, rejected } = outbox.cursor();
    return success({ runId, points, rejected, complete, withoutFiles, more });
  };

  const described = await sendDescription(outbox, record, place);
  if (!described.ok) return forgetIfGone(outbox, described.errors[0]);

  const sent = await sendMetrics(outbox, [fileNames.metrics, fileNames.system]);
  if (!sent.ok) return forgetIfGone(outbox, sent.errors[0]);
  points += sent.value.sent;
  if (sent.value.more) return synced({ more: true });

  if (isOver(record)) {
    const shape = recordedShape(record.directory);
    const steps = [
      () => sendEndMetrics(outbox, record),
      () => {
        const datasets = runDatasets(record.run, { shape, contexts: measuredContexts(record) });
        return outbox.once('inputs', datasets, () => logInputs(outbox, datasets));
      },
    ];
    for (const step of steps) {
      const done = await step();
      if (!done.ok) return forgetIfGone(outbox, done.errors[0]);
    }
    const files = [
      () => sendArtifacts(outbox, runArtifacts(record, context.artifactGroups)),
      ...(context.artifactGroups.has('model') ? [() => sendModel(outbox, { record, place })] : []),
    ];
    for (const send of files) {
      const done = await send();
      if (!done.ok) return forgetIfGone(outbox, done.errors[0]);
      missingFiles += done.value.missing;
    }
  }
  const status = runStatus(record);
  const updated = await outbox.once('status', status, () =>
    context.client.updateRun(outbox.cursor().runId, status),
  );
  if (!updated.ok) return forgetIfGone(outbox, updated.errors[0]);
  return synced({
    complete: isOver(record) && missingFiles === 0,
    withoutFiles: isOver(record) && missingFiles > 0,
  });
};

/** A server that lost the run (its database was made anew) gets everything again, next time. */
const forgetIfGone = (outbox: Outbox, cause: Problem): Answer<never> => {
  if (cause.errorCode === 'RESOURCE_DOES_NOT_EXIST') forgetCursor(outbox.directory, outbox.cursor().uri);
  return failedBy(cause);
};
