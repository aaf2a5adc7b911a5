import { join } from 'node:path';
import { success } from '../../diagnostic/diagnostic.ts';
import type { Answer } from '../client/problem.ts';
import type { WireMetric } from '../client/wire.ts';
import { fileStart, readPage, type Page, type Position } from '../journal/metric-file.ts';
import { progressOf, type FileProgress } from './cursor.ts';
import { openHistories, type Histories } from './history.ts';
import type { Outbox } from './outbox.ts';
import { batchEntities, cutBatches, sendBatch } from './send-batch.ts';

/** How much one call may send, so that every run of a sweep gets its turn. */
const mostBatchesAtOnce = 50;

/** What one batch takes of one file. */
interface Share {
  readonly file: string;
  readonly done: Position;
  readonly unsure: boolean;
  readonly end: Position;
  readonly points: readonly WireMetric[];
}

/**
 * Sends what the journal files of a run have beyond the cursor, in batches that they share. Before each batch the cursor
 * records what is about to be sent and afterwards that it was, so nothing is forgotten and nothing is sent twice:
 *
 * - The points of a batch whose fate is unknown are sent again as they are, where the server drops what it has; on other
 *   servers they are compared with its history first.
 * - Where a file is no longer what was sent (a lost disk block, a copy from a backup), or the cursor was lost, every
 *   point is compared: a metric's step that the server has is not sent again, whatever its time.
 *
 * Returns the number of points that arrived, and whether there is more.
 */
export const sendMetrics = async (
  outbox: Outbox,
  files: readonly string[],
): Promise<Answer<{ readonly sent: number; readonly more: boolean }>> => {
  const { context, directory } = outbox;
  let sent = 0;
  let histories: Histories | undefined;

  const save = (progress: Readonly<Record<string, FileProgress>>) =>
    outbox.save({ files: { ...outbox.cursor().files, ...progress } });

  /** Only the points that must still be sent. */
  const toSend = async (
    page: Page,
    { compare }: { readonly compare: boolean },
  ): Promise<Answer<readonly WireMetric[]>> => {
    if (!compare) return success(page.points);
    histories ??= openHistories(context.client, outbox.cursor().runId);
    const missing = await histories.missing(page.points);
    if (!missing.ok) return missing;
    if (missing.value.conflicts.length > 0)
      context.reject({
        runId: outbox.cursor().runId,
        reason: 'The server has other values at steps that are recorded here.',
        batch: { metrics: missing.value.conflicts.slice(0, 100) },
      });
    return success(missing.value.points);
  };

  /** The next lines of a file, at most about `room` points; nothing when it has no more. */
  const takeShare = async (file: string, room: number): Promise<Answer<Share | undefined>> => {
    const path = join(directory, file);
    let progress = progressOf(outbox.cursor(), file);
    let page = readPage(path, progress.done, room);
    if (page === 'rewritten') {
      progress = { done: fileStart, pending: null, unsure: true };
      save({ [file]: progress });
      page = readPage(path, progress.done, room);
      if (page === 'rewritten') return success(undefined);
    }
    const { done, pending, unsure } = progress;
    for (const { text } of page.damaged)
      context.notice(`A damaged line of ${path} was passed over: ${text.slice(0, 60)}`);
    if (page.lines === 0) {
      if (unsure && done.offset > 0) save({ [file]: { done, pending: null, unsure: false } });
      return success(undefined);
    }
    const asBefore = pending === null || (context.dedupes && readPage(path, pending, 0) !== 'rewritten');
    const points = await toSend(page, { compare: unsure || !asBefore });
    return points.ok ? success({ file, done, unsure, end: page.end, points: points.value }) : points;
  };

  for (let batches = 0; batches < mostBatchesAtOnce; batches++) {
    const shares: Share[] = [];
    let room = batchEntities;
    for (const file of files) {
      if (room <= 0) break;
      const share = await takeShare(file, room);
      if (!share.ok) return share;
      if (!share.value) continue;
      shares.push(share.value);
      room -= share.value.points.length;
    }
    if (shares.length === 0) return success({ sent, more: false });
    const progress = (of: (share: Share) => FileProgress) =>
      Object.fromEntries(shares.map((share) => [share.file, of(share)]));

    save(progress(({ done, end, unsure }) => ({ done, pending: end, unsure })));
    const metrics = shares.flatMap(({ points }) => points);
    for (const batch of cutBatches({ metrics })) {
      const arrived = await sendBatch(context, outbox.cursor().runId, batch);
      if (!arrived.ok) return arrived;
    }
    sent += metrics.length;
    save(progress(({ end, unsure }) => ({ done: end, pending: null, unsure })));
  }
  return success({ sent, more: true });
};
