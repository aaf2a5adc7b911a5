import { createHash } from 'node:crypto';
import { dirname, join } from 'node:path';
import { packRun } from '../../record/packed-run.ts';
import { readStatus } from '../../record/read-runs.ts';
import { canonicalJson, type Json } from '../../system/json.ts';
import type { TrainRequest } from '../../training/protocol.ts';
import type { RunTask } from '../executor.ts';
import type { ShareData } from './shared-data.ts';
import { sendFile, type Transport } from './transport.ts';
import { portableRun } from './portable-run.ts';
import type { Job } from './protocol.ts';

interface Submission {
  readonly request: TrainRequest;
  readonly task: RunTask;
  readonly sweep: string;
  /** The id of the store that the submitter uses. */
  readonly store: string | undefined;
  /** Puts the data of a run into the store; undefined where workers must have it. */
  readonly shareData: ShareData | undefined;
}

/** A request as it is sent, without the files that it needs. */
const bareJob = ({ request, task, sweep, store }: Submission): Job => {
  const { run, pauseAt, attempt, fromTheStart, threads, kernel, profile } = request;
  return {
    run: portableRun(run),
    sweep,
    ...(store !== undefined && { store }),
    pauseAt,
    attempt,
    fromTheStart,
    threads,
    ...(kernel !== undefined && { kernel }),
    profile,
    timeoutMs: task.timeoutMs,
  };
};

/**
 * The id of a job: of the run and of everything that decides what comes of the attempt. Whoever submits the same attempt
 * again gets the job that is there. With `--force` every command trains again, by its own `nonce`.
 */
export const jobKeyOf = (submission: Submission, nonce: string): string => {
  const job = bareJob(submission);
  // Its sweep, which of the sweep's values a run has, and the store are not part of what it computes.
  const content = {
    ...job,
    sweep: undefined,
    store: undefined,
    run: { ...job.run, varying: {} },
    ...(job.fromTheStart && { nonce }),
  };
  const hash = createHash('sha256')
    .update(canonicalJson(JSON.parse(JSON.stringify(content)) as Json))
    .digest('hex');
  return `r-${job.run.id}-${hash.slice(0, 24)}`;
};

/** The job of a request. What is recorded of the run, and what it starts from, goes first. */
export const jobOfRequest = async (transport: Transport, submission: Submission): Promise<Job> => {
  const { request } = submission;
  const { directory, run, fromTheStart, startFile } = request;
  const pack = async (from: string) => {
    const packed = await packRun(from, { checkpoints: true });
    if (!packed.ok) return undefined;
    const place = await transport.send(packed.value.files);
    return { manifest: packed.value.manifest, ...place };
  };
  const record = !fromTheStart && readStatus(directory) ? await pack(directory) : undefined;
  const parent =
    run.continues && !record && !fromTheStart
      ? await pack(join(dirname(directory), run.continues.run))
      : undefined;
  const start = startFile === undefined ? undefined : await sendFile(transport, startFile);
  const data = await submission.shareData?.(run);
  return {
    ...bareJob(submission),
    ...(data && { data }),
    ...(record && { record }),
    ...(parent && { parent }),
    ...(start && { start }),
  };
};
