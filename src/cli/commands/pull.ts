import { runDirectory } from '../../record/run-recorder.ts';
import { writeRunPlots } from '../../report/run-plots.ts';
import { requiredStore, type StoreOptions } from '../../store/open-address.ts';
import { chooseRunsToPull, pullRuns } from '../../store/pull-runs.ts';
import { storeFailure } from '../../store/store.ts';
import { counted } from '../../terminal/format.ts';
import type { Execute } from '../command.ts';
import { listenForInterruption } from '../interrupt.ts';
import { underlined } from '../recorded.ts';

interface Options extends StoreOptions {
  readonly runsDirectory: string;
  readonly json?: boolean | undefined;
}

/** `unroll pull [WHAT...]` */
export const execute: Execute<Options> = async (words, options, terminal) => {
  const { runsDirectory, json } = options;
  const opened = await requiredStore(options);
  if (!opened.ok) return terminal.refuse(opened.errors, options);
  const store = opened.value;
  const { stop, release } = listenForInterruption(() =>
    terminal.complain('Stopping. What is here stays; the same command brings the rest.'),
  );
  let report: Awaited<ReturnType<typeof pullRuns>>;
  try {
    const chosen = await chooseRunsToPull(store, words, runsDirectory);
    if (!chosen.ok)
      return terminal.refuse(
        chosen.errors.map((error) =>
          words.includes(error.got ?? '') ? underlined(error, ['pull', ...words]) : error,
        ),
        options,
      );
    report = await pullRuns(store, chosen.value, {
      runsDirectory,
      stop,
      onPulled: async (run) => {
        if (!json) terminal.print(`pulled ${run.experiment}/${run.id}`);
        await writeRunPlots(runDirectory(runsDirectory, run)).catch(() => undefined);
      },
    });
  } catch (error) {
    report = { pulled: [], here: 0, missing: 0, held: 0, errors: [storeFailure(error)] };
  } finally {
    await store.close();
    release();
  }
  const { pulled, here, missing, held, errors } = report;
  if (json) terminal.print(JSON.stringify({ store: store.address, ...report }, null, 2));
  else {
    terminal.report(errors.slice(0, 5));
    const rest = [
      ...(here > 0 ? [`${here} here before`] : []),
      ...(held > 0 ? [`${held} being trained here`] : []),
      ...(missing > 0 ? [`${missing} not in the store`] : []),
      ...(errors.length > 0 ? [`${errors.length} failed`] : []),
    ];
    terminal.print([`${counted(pulled.length, 'run')} pulled from ${store.address}`, ...rest].join('; '));
  }
  if (stop.aborted) return 130;
  return errors.length > 0 ? 1 : 0;
};
