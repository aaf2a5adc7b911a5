import PQueue from 'p-queue';
import { failure, success, type Diagnostic, type Result } from '../../diagnostic/diagnostic.ts';
import { nearest } from '../../diagnostic/nearest.ts';
import { frozenPlanPath, readFrozenPlan } from '../../record/frozen-plan.ts';
import { runDirectory } from '../../record/run-recorder.ts';
import { grownPlan } from '../../record/search-journal.ts';
import { writeRunPlots } from '../../report/run-plots.ts';
import type { StoreOptions } from '../../store/open-address.ts';
import type { RunKey } from '../../store/contents.ts';
import { storeFailure, type Store, type SweepKey } from '../../store/store.ts';
import { takeRun } from '../../store/take-run.ts';
import { counted } from '../../terminal/format.ts';
import type { Execute } from '../command.ts';
import { listenForInterruption } from '../interrupt.ts';
import { requiredStore } from '../opened-store.ts';
import { commandLineRange } from '../usage.ts';

interface Options extends StoreOptions {
  readonly runsDirectory: string;
  readonly json?: boolean | undefined;
}

/** Runs that are brought at the same time. */
const atOnce = 8;

/** `unroll pull [WHAT...]` */
export const execute: Execute<Options> = async (words, options, terminal) => {
  const { runsDirectory, json } = options;
  const opened = await requiredStore(options);
  if (!opened.ok) return terminal.refuse(opened.errors, options);
  const store = opened.value;
  const interruption = listenForInterruption(() =>
    terminal.complain('Stopping. What is here stays; the same command brings the rest.'),
  );
  const errors: Diagnostic[] = [];
  const pulled: string[] = [];
  const count = { here: 0, missing: 0, held: 0 };
  try {
    const chosen = await chooseInStore(store, words, runsDirectory);
    if (!chosen.ok) return terminal.refuse(chosen.errors, options);
    const pullOne = async (run: RunKey) => {
      if (interruption.stop.aborted || errors.some(({ code }) => code === 'store' || code === 'system-error'))
        return;
      try {
        const taken = await takeRun(store, run, { runsDirectory });
        if (taken.kind === 'bad') errors.push(...taken.errors);
        else if (taken.kind !== 'taken') count[taken.kind]++;
        else {
          pulled.push(`${run.experiment}/${run.id}`);
          if (!json) terminal.print(`pulled ${run.experiment}/${run.id}`);
          await writeRunPlots(runDirectory(runsDirectory, run)).catch(() => undefined);
        }
      } catch (error) {
        errors.push(storeFailure(error));
      }
    };
    const queue = new PQueue({ concurrency: atOnce });
    for (const run of chosen.value) void queue.add(() => pullOne(run));
    await queue.onIdle();
  } catch (error) {
    errors.push(storeFailure(error));
  } finally {
    await store.close();
    interruption.release();
  }
  if (json) terminal.print(JSON.stringify({ store: store.address, pulled, ...count, errors }, null, 2));
  else {
    terminal.report(errors.slice(0, 5));
    const rest = [
      ...(count.here > 0 ? [`${count.here} here before`] : []),
      ...(count.held > 0 ? [`${count.held} being trained here`] : []),
      ...(count.missing > 0 ? [`${count.missing} not in the store`] : []),
      ...(errors.length > 0 ? [`${errors.length} failed`] : []),
    ];
    terminal.print([`${counted(pulled.length, 'run')} pulled from ${store.address}`, ...rest].join('; '));
  }
  if (interruption.stop.aborted) return 130;
  return errors.length > 0 ? 1 : 0;
};

/** The runs that the words mean; the frozen plans of their sweeps are brought at once. */
const chooseInStore = async (
  store: Store,
  words: readonly string[],
  runsDirectory: string,
): Promise<Result<readonly RunKey[]>> => {
  const sweeps = await store.sweeps();
  const experiments = await store.experiments();
  const chosen = new Map<string, RunKey>();
  const keep = (experiment: string, id: string) => chosen.set(`${experiment}/${id}`, { experiment, id });
  const pullPlan = (sweep: SweepKey) => store.pullSweep(sweep, frozenPlanPath(runsDirectory, sweep));
  for (const word of words.length > 0 ? words : experiments) {
    if (experiments.includes(word)) {
      for (const id of await store.finished(word)) keep(word, id);
      for (const sweep of sweeps.filter(({ experiment }) => experiment === word)) {
        const plan = await pullPlan(sweep);
        if (!plan.ok) return plan;
      }
      continue;
    }
    const ofId = sweeps.filter(({ sweepId }) => word !== '' && sweepId.startsWith(word));
    for (const sweep of ofId) {
      const plan = await pullPlan(sweep);
      if (!plan.ok) return plan;
      const path = frozenPlanPath(runsDirectory, sweep);
      const frozen = readFrozenPlan(path);
      if (!frozen.ok) return frozen;
      if (frozen.value)
        for (const { experiment, id } of grownPlan(frozen.value, path).runs) keep(experiment, id);
    }
    if (ofId.length > 0) continue;
    const found = await findInStore(store, word, experiments);
    if (!found.ok) return found;
    keep(found.value.experiment, found.value.id);
  }
  return success([...chosen.values()]);
};

/** The run by the beginning of its id, or of `experiment/id`. */
const findInStore = async (
  store: Store,
  word: string,
  experiments: readonly string[],
): Promise<Result<RunKey>> => {
  const known: RunKey[] = [];
  for (const experiment of experiments)
    for (const id of await store.finished(experiment)) known.push({ experiment, id });
  const found = known.filter(
    ({ experiment, id }) => id.startsWith(word) || `${experiment}/${id}`.startsWith(word),
  );
  const [first, second] = found;
  if (first && !second && word !== '') return success(first);
  const near = first ? undefined : nearest(word, [...experiments, ...known.map(({ id }) => id)]);
  return failure({
    code: first ? 'ambiguous-run' : 'unknown-run',
    severity: 'error',
    message: first
      ? `${found.length} runs of the store start with "${word}".`
      : `The store ${store.address} has no experiment, sweep or run "${word}".`,
    at: commandLineRange(['pull', word], word),
    expected: 'the name of an experiment, or the beginning of the id of a sweep or a run',
    ...(near !== undefined && { nearest: near }),
    help: first ? 'Write more letters of the id.' : 'Without a name, everything of the store is pulled.',
  });
};
