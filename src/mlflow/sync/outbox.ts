import { success } from '../../diagnostic/diagnostic.ts';
import type { Answer } from '../client/problem.ts';
import { digestOfPart } from '../journal/digest.ts';
import type { SyncContext } from './context.ts';
import { type Cursor, keepRejected, writeCursor } from './cursor.ts';

/** What is being sent of one directory, with the cursor as it is on the disk. */
export interface Outbox {
  readonly directory: string;
  readonly cursor: () => Cursor;
  readonly save: (change: Partial<Cursor>) => void;
  /** The context, with refusals kept in this directory. */
  readonly context: SyncContext;
  /** Whether a part was sent as it is now. */
  readonly hasSent: (part: string, content: unknown) => boolean;
  /** Sends a part unless it was sent as it is now; `send` returns whether it arrived. */
  readonly once: (
    part: string,
    content: unknown,
    send: () => Promise<Answer<unknown>>,
  ) => Promise<Answer<undefined>>;
}

export const openOutbox = (context: SyncContext, directory: string, first: Cursor): Outbox => {
  let cursor = first;
  let warned = false;

  const save = (change: Partial<Cursor>) => {
    cursor = { ...cursor, ...change };
    writeCursor(directory, cursor);
  };

  const reject: SyncContext['reject'] = (entry) => {
    const { metrics = [], params = [], tags = [] } = entry.batch;
    save({ rejected: cursor.rejected + metrics.length + params.length + tags.length });
    keepRejected(directory, cursor.uri, { time: Date.now(), ...entry });
    context.reject(entry);
    if (!warned) context.notice(`${entry.reason} What was refused is kept in ${directory}/mlflow.`);
    warned = true;
  };

  const hasSent: Outbox['hasSent'] = (part, content) => cursor.sent[part] === digestOfPart(content);

  return {
    directory,
    cursor: () => cursor,
    save,
    context: { ...context, reject },
    hasSent,
    once: async (part, content, send) => {
      if (hasSent(part, content)) return success(undefined);
      const sent = await send();
      if (!sent.ok) return sent;
      save({ sent: { ...cursor.sent, [part]: digestOfPart(content) } });
      return success(undefined);
    },
  };
};
