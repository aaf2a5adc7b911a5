import { randomInt } from 'node:crypto';
import { backoffMs, wait } from '../client/backoff.ts';
import { success } from '../../diagnostic/diagnostic.ts';
import { type Answer, isPassing, problem } from '../client/problem.ts';
import type { NewRun, ServerRun } from '../client/runs.ts';
import { recordingTag } from '../projection/tags.ts';
import type { SyncContext } from './context.ts';

export interface EnsuredRun {
  readonly run: ServerRun;
  /** False when it was there already, so that something of it may have been sent. */
  readonly created: boolean;
}

const deletedProblem = ({ id, name }: ServerRun, { sync }: SyncContext['client']['commands']) =>
  problem('deleted', `The run "${name}" was deleted on the server and is left alone.`, {
    help: `Restore it on the server (mlflow runs restore --run-id ${id}) and run "${sync}" to continue.`,
  });

/**
 * Several runs with the tag of one recording can only come from two computers that sent the same folder at once: the
 * fullest stays, the others are deleted (they can be restored on the server).
 */
const chooseOne = async (
  context: SyncContext,
  found: readonly ServerRun[],
): Promise<Answer<ServerRun | undefined>> => {
  const alive = found.filter(({ deleted }) => !deleted);
  const sorted = [...alive].sort(
    (a, b) => b.metricKeys.length - a.metricKeys.length || (a.id < b.id ? -1 : 1),
  );
  for (const other of sorted.slice(1)) {
    const deleted = await context.client.deleteRun(other.id);
    if (!deleted.ok) return deleted;
    context.notice(`Two runs belonged to one recording; the emptier one (${other.id}) was deleted.`);
  }
  const kept = sorted[0] ?? found[0];
  return success(kept);
};

/**
 * Finds the run of a recording, or creates it. The server has no way to create a run once only, so after
 * every unclear attempt the recording's tag is searched before another is made.
 */
export const ensureRun = async (
  context: SyncContext,
  recording: string,
  fresh: NewRun,
): Promise<Answer<EnsuredRun>> => {
  for (let failures = 1; ; failures++) {
    const found = await context.client.searchRuns(
      context.experimentId,
      `tags."${recordingTag}" = '${recording.replaceAll("'", '')}'`,
    );
    if (!found.ok) return found;
    const chosen = await chooseOne(context, found.value);
    if (!chosen.ok) return chosen;
    if (chosen.value)
      return chosen.value.deleted
        ? deletedProblem(chosen.value, context.client.commands)
        : success({ run: chosen.value, created: false });
    const made = await context.client.createRun(fresh);
    if (made.ok) return success({ run: made.value, created: true });
    if (!isPassing(made.errors[0]) && !made.errors[0].unclear) return made;
    if (failures > context.batchRetries) return made;
    const ms = backoffMs(failures, context.backoff, made.errors[0].retryAfterMs, randomInt(1000) / 1000);
    if (!(await wait(ms, context.signal))) return made;
  }
};
