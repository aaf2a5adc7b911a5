import { masked } from '../../system/secrets.ts';
import { success } from '../../diagnostic/diagnostic.ts';
import type { Answer } from '../client/problem.ts';
import type { WirePair } from '../client/wire.ts';
import { digestOfPart } from '../journal/digest.ts';
import { parentTag } from '../projection/tags.ts';
import type { Cursor } from './cursor.ts';
import type { Outbox } from './outbox.ts';
import { cutBatches, sendBatch } from './send-batch.ts';

const partOf = ({ key }: WirePair): string => `tag:${key}`;

/** The digests of tags that were sent, as the server has them: without secrets. */
export const sentTags = (tags: readonly WirePair[]): Cursor['sent'] =>
  Object.fromEntries(tags.map((tag) => [partOf(tag), digestOfPart(masked(tag.value))]));

/**
 * Sends the tags that are new or have changed. A tag that somebody edited or removed on the server since it was sent (a
 * note, a colour) stays as it is there. A run also stays under its first parent when a later sweep contains it, so that
 * the first sweep's link keeps showing it.
 */
export const sendTags = (outbox: Outbox, tags: readonly WirePair[]): Promise<Answer<undefined>> =>
  outbox.once('tags', tags, async () => {
    const { client } = outbox.context;
    const { runId, sent } = outbox.cursor();
    const server = await client.getRun(runId);
    if (!server.ok) return server;
    const onServer = server.value?.tags ?? {};
    const isOurs = (tag: WirePair): boolean => {
      const now = onServer[tag.key];
      if (tag.key === parentTag && now !== undefined) return false;
      const before = sent[partOf(tag)];
      return (
        before === undefined ||
        server.value === undefined ||
        (now !== undefined && digestOfPart(now) === before)
      );
    };
    const changed = tags.filter((tag) => !outbox.hasSent(partOf(tag), masked(tag.value)) && isOurs(tag));
    for (const batch of cutBatches({ tags: changed })) {
      const arrived = await sendBatch(outbox.context, runId, batch);
      if (!arrived.ok) return arrived;
    }
    outbox.save({ sent: { ...outbox.cursor().sent, ...sentTags(changed) } });
    return success(undefined);
  });
