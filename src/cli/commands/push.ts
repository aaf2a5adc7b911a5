import { join } from 'node:path';
import PQueue from 'p-queue';
import { success, type Diagnostic, type Result } from '../../diagnostic/diagnostic.ts';
import type { Plan } from '../../plan/plan.ts';
import { listExperiments, listRuns, readRun } from '../../record/read-runs.ts';
import { listSweeps } from '../../record/read-sweeps.ts';
import type { RecordedRun } from '../../record/run-state.ts';
import type { StoreOptions } from '../../store/open-address.ts';
import { storeFailure } from '../../store/store.ts';
import { counted } from '../../terminal/format.ts';
import type { Execute } from '../command.ts';
import { listenForInterruption } from '../interrupt.ts';
import { requiredStore } from '../opened-store.ts';
import { findRun } from '../recorded.ts';

interface Options extends StoreOptions {
  readonly runsDirectory: string;
  readonly force?: boolean | undefined;
  readonly json?: boolean | undefined;
}

/** Runs that are sent at the same time. */
const atOnce = 4;

/** `unroll push [WHAT...]` */
export const execute: Execute<Options> = async (words, options, terminal) => {
  const { runsDirectory, json, force = false } = options;
  const chosen = chooseRuns(runsDirectory, words);
  const opened = chosen.ok ? await requiredStore(options) : chosen;
  if (!chosen.ok || !opened.ok) return terminal.refuse(opened.ok ? [] : opened.errors, options);
  const store = opened.value;
  const interruption = listenForInterruption(() =>
    terminal.complain('Stopping. What is sent stays sent; the same command sends the rest.'),
  );
  const done = chosen.value.runs.filter(({ state }) => state === 'done');
  const pushed: string[] = [];
  const errors: Diagnostic[] = [];
  let there = 0;
  const queue = new PQueue({ concurrency: atOnce });
  const pushOne = async ({ directory, run }: RecordedRun) => {
    if (interruption.stop.aborted || errors.some(({ code }) => code === 'store' || code === 'system-error'))
      return;
    try {
      const result = await store.push(directory, { force });
      if (!result.ok)
        errors.push(...result.errors.map((error) => ({ ...error, severity: 'error' as const })));
      else if (result.value === 'there') there++;
      else {
        pushed.push(`${run.experiment}/${run.id}`);
        if (!json) terminal.print(`pushed ${run.experiment}/${run.id}`);
      }
    } catch (error) {
      errors.push(storeFailure(error));
    }
  };
  for (const run of done) void queue.add(() => pushOne(run));
  await queue.onIdle();
  try {
    if (errors.length === 0 && !interruption.stop.aborted)
      for (const { path } of chosen.value.sweeps) await store.pushSweep(path);
  } catch (error) {
    errors.push(storeFailure(error));
  }
  await store.close();
  interruption.release();
  errors.push(...chosen.value.problems.map((one) => ({ ...one, severity: 'error' as const })));
  const skipped = chosen.value.runs.length - done.length;
  if (json)
    terminal.print(
      JSON.stringify({ store: store.address, pushed, there, notFinished: skipped, errors }, null, 2),
    );
  else {
    terminal.report(errors.slice(0, 5));
    const rest = [
      ...(there > 0 ? [`${there} there before`] : []),
      ...(skipped > 0 ? [`${skipped} not finished`] : []),
      ...(errors.length > 0 ? [`${errors.length} failed`] : []),
    ];
    terminal.print([`${counted(pushed.length, 'run')} pushed to ${store.address}`, ...rest].join('; '));
  }
  if (interruption.stop.aborted) return 130;
  return errors.length > 0 ? 1 : 0;
};

interface Chosen {
  readonly runs: readonly RecordedRun[];
  /** Why others cannot be read. */
  readonly problems: readonly Diagnostic[];
  readonly sweeps: readonly { readonly path: string; readonly plan: Plan }[];
}

/** The runs that the words mean, with the sweeps that they are part of. */
const chooseRuns = (runsDirectory: string, words: readonly string[]): Result<Chosen> => {
  const { sweeps } = listSweeps(runsDirectory);
  if (words.length === 0) return success({ ...listRuns(runsDirectory), sweeps });
  const problems: Diagnostic[] = [];
  const runs = new Map<string, RecordedRun>();
  const keep = (one: RecordedRun) => runs.set(`${one.run.experiment}/${one.run.id}`, one);
  const chosen = new Set<(typeof sweeps)[number]>();
  const experiments = listExperiments(runsDirectory);
  for (const word of words) {
    if (experiments.includes(word)) {
      const listed = listRuns(runsDirectory, { experiment: word });
      for (const one of listed.runs) keep(one);
      problems.push(...listed.problems);
      for (const sweep of sweeps) if (sweep.plan.experiment === word) chosen.add(sweep);
      continue;
    }
    const ofId = sweeps.filter(({ plan }) => word !== '' && plan.sweepId.startsWith(word));
    for (const sweep of ofId) {
      chosen.add(sweep);
      for (const { experiment, id } of sweep.plan.runs) {
        const read = readRun(join(runsDirectory, experiment, id));
        if (read.ok) keep(read.value);
      }
    }
    if (ofId.length > 0) continue;
    const found = findRun(runsDirectory, word, 'push');
    const read = found.ok ? readRun(found.value) : found;
    if (!read.ok) return read;
    keep(read.value);
  }
  return success({ runs: [...runs.values()], problems, sweeps: [...chosen] });
};
