import type { RunListener } from '../../record/events.ts';
import type { ListedWorker } from './presence.ts';
import type { RedisServer } from './redis.ts';

/** The runs that were lost with a worker. */
export const startedAgain = (
  id: string,
  {
    host,
    fromStep,
    store,
  }: { readonly host: string; readonly fromStep: number; readonly store: string | undefined },
): string => {
  if (fromStep > 0) return `Run ${id}: resumed on ${host} after step ${fromStep}.`;
  const advice =
    store === undefined
      ? ' Give this command and the workers the same --store, and a run resumes from its last checkpoint.'
      : '';
  return `Run ${id}: started again on ${host} from the first step, because no checkpoint of it was found.${advice}`;
};

/** A run that was ended for another command, and that this one still wants. */
export const trainedOn = (id: string): string =>
  `Run ${id}: was interrupted for another command, whose time was over. It is queued again, and resumes from its checkpoint.`;

/** Reports hosts when something about them has changed. */
export const hostsShower = (listener: RunListener) => {
  let shown = '';
  return (workers: readonly ListedWorker[]) => {
    const hosts = workers.map(({ host, slots, busy, isAlive }) => ({ host, slots, busy, isLost: !isAlive }));
    const text = JSON.stringify(hosts);
    if (text !== shown) listener({ type: 'hosts-changed', hosts });
    shown = text;
  };
};

/** Reports once when Redis stops answering, and once when it answers again. */
export const watchConnection = (
  { client, address }: RedisServer,
  note: (level: 'info' | 'warning', message: string) => void,
): (() => void) => {
  let isCut = false;
  client.on('ready', () => {
    if (isCut) note('info', `Redis at ${address} answers again.`);
    isCut = false;
  });
  return () => {
    if (isCut || client.status === 'ready') return;
    isCut = true;
    note(
      'warning',
      `Redis at ${address} does not answer; waiting for it. Workers continue what they have begun.`,
    );
  };
};
