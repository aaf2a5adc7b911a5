import { requiredStore, type StoreOptions } from '../../store/open-address.ts';
import { chooseRunsToPush, pushRuns } from '../../store/push-runs.ts';
import { counted } from '../../terminal/format.ts';
import type { Execute } from '../command.ts';
import { listenForInterruption } from '../interrupt.ts';
import { findRun } from '../recorded.ts';

interface Options extends StoreOptions {
  readonly runsDirectory: string;
  readonly force?: boolean | undefined;
  readonly json?: boolean | undefined;
}

/** `unroll push [WHAT...]` */
export const execute: Execute<Options> = async (words, options, terminal) => {
  const { runsDirectory, json, force = false } = options;
  const chosen = chooseRunsToPush(runsDirectory, words, (word) => findRun(runsDirectory, word, 'push'));
  const opened = chosen.ok ? await requiredStore(options) : chosen;
  if (!chosen.ok || !opened.ok) return terminal.refuse(opened.ok ? [] : opened.errors, options);
  const store = opened.value;
  const { stop, release } = listenForInterruption(() =>
    terminal.complain('Stopping. What is sent stays sent; the same command sends the rest.'),
  );
  const report = await pushRuns(store, chosen.value, {
    force,
    stop,
    onPushed: (name) => {
      if (!json) terminal.print(`pushed ${name}`);
    },
  });
  await store.close();
  release();
  const { pushed, there, notFinished, errors } = report;
  if (json) terminal.print(JSON.stringify({ store: store.address, ...report }, null, 2));
  else {
    terminal.report(errors.slice(0, 5));
    const rest = [
      ...(there > 0 ? [`${there} there before`] : []),
      ...(notFinished > 0 ? [`${notFinished} not finished`] : []),
      ...(errors.length > 0 ? [`${errors.length} failed`] : []),
    ];
    terminal.print([`${counted(pushed.length, 'run')} pushed to ${store.address}`, ...rest].join('; '));
  }
  if (stop.aborted) return 130;
  return errors.length > 0 ? 1 : 0;
};
