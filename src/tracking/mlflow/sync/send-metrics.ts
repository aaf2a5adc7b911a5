import { join } from 'node:path';
import { type Answer, answer } from '../client/problem.ts';
import type { WireMetric } from '../client/wire.ts';
import { fileStart, readPage, type Page } from '../journal/metric-file.ts';
import { progressOf, type FileProgress } from './cursor.ts';
import { openHistories, type Histories } from './history.ts';
import type { Outbox } from './outbox.ts';
import { batchEntities, cutBatches, sendBatch } from './send-batch.ts';

/** How much one call may send, so that every run of a sweep gets its turn. */
const mostBatchesAtOnce = 50;

/**
 * Sends what a journal file has beyond the cursor, batch by batch. Before each batch the cursor says what is about to be
 * sent and afterwards that it was, so nothing is forgotten and nothing is sent twice:
 *
 * - The points of a batch whose fate is unknown are sent again as they are, where the server drops what it has; on other
 *   servers they are compared with its history first.
 * - Where the file is no longer what was sent (a lost disk block, a copy from a backup), or the cursor was lost, every
 *   point is compared: a metric's step that the server has is not sent again, whatever its time.
 *
 * Returns the number of points that arrived, and whether there is more.
 */
export const sendMetrics = async (
  outbox: Outbox,
  file: string,
): Promise<Answer<{ readonly sent: number; readonly more: boolean }>> => {
  const { context, directory } = outbox;
  const path = join(directory, file);
  let sent = 0;
  let histories: Histories | undefined;

  const save = (progress: FileProgress) =>
    outbox.save({ files: { ...outbox.cursor().files, [file]: progress } });

  /** Only the points that must still be sent. */
  const toSend = async (
    page: Page,
    { compare }: { readonly compare: boolean },
  ): Promise<Answer<readonly WireMetric[]>> => {
    if (!compare) return answer(page.points);
    histories ??= openHistories(context.client, outbox.cursor().runId);
    const missing = await histories.missing(page.points);
    if (!missing.ok) return missing;
    if (missing.value.conflicts.length > 0)
      context.reject({
        runId: outbox.cursor().runId,
        reason: 'The server has other values at steps that are recorded here.',
        batch: { metrics: missing.value.conflicts.slice(0, 100) },
      });
    return answer(missing.value.points);
  };

  for (let batches = 0; batches < mostBatchesAtOnce; batches++) {
    const { done, pending, unsure } = progressOf(outbox.cursor(), file);
    const page = readPage(path, done, batchEntities);
    if (page === 'rewritten') {
      save({ done: fileStart, pending: null, unsure: true });
      continue;
    }
    for (const { text } of page.damaged)
      context.notice(`A damaged line of ${path} was passed over: ${text.slice(0, 60)}`);
    if (page.lines === 0) {
      if (unsure && done.offset > 0) save({ done, pending: null, unsure: false });
      return answer({ sent, more: false });
    }

    const asBefore = pending === null || (context.dedupes && readPage(path, pending, 0) !== 'rewritten');
    const points = await toSend(page, { compare: unsure || !asBefore });
    if (!points.ok) return points;
    save({ done, pending: page.end, unsure });
    for (const batch of cutBatches({ metrics: points.value })) {
      const arrived = await sendBatch(context, outbox.cursor().runId, batch);
      if (!arrived.ok) return arrived;
    }
    sent += points.value.length;
    save({ done: page.end, pending: null, unsure });
  }
  return answer({ sent, more: true });
};
