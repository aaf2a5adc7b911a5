import { success } from '../../diagnostic/diagnostic.ts';
import type { Answer } from '../client/problem.ts';
import type { NewRun } from '../client/runs.ts';
import type { SyncContext } from './context.ts';
import { type Cursor, newCursor, readCursor, writeCursor } from './cursor.ts';
import { ensureRun } from './ensure-run.ts';
import { openOutbox, type Outbox } from './outbox.ts';

/** What creates a directory's run on the server, if it is not there yet. */
export interface Creation {
  /** Identifies the recording: a run on the server with this tag is continued. */
  readonly recording: string;
  readonly fresh: NewRun;
  /** The digests of the parts that the creation sends, so that they are not sent again. */
  readonly carried: Cursor['sent'];
}

/**
 * Finds where to continue sending a directory: the cursor on the disk, else the server's run of this recording (or the
 * run that the context adopts), else a new run. `describe` is called only without a usable cursor.
 */
export const ensureOutbox = async (
  context: SyncContext,
  directory: string,
  describe: () => Answer<Creation>,
): Promise<Answer<Outbox>> => {
  const known = readCursor(directory, context.client.uri);
  if (known && !context.checkRuns) return success(openOutbox(context, directory, known));
  if (known) {
    const there = await context.client.getRun(known.runId);
    if (!there.ok) return there;
    if (there.value && !there.value.deleted) return success(openOutbox(context, directory, known));
  }
  const creation = describe();
  if (!creation.ok) return creation;
  const { recording, fresh, carried } = creation.value;
  const adopted =
    context.adoptRunId === undefined ? undefined : await context.client.getRun(context.adoptRunId);
  if (adopted && !adopted.ok) return adopted;
  const ensured = adopted?.value
    ? success({ run: adopted.value, created: false })
    : await ensureRun(context, recording, fresh);
  if (!ensured.ok) return ensured;
  const cursor: Cursor = {
    ...newCursor(context.client.uri, ensured.value),
    sent: ensured.value.created ? carried : {},
  };
  writeCursor(directory, cursor);
  return success(openOutbox(context, directory, cursor));
};
