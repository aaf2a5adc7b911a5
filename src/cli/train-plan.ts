import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { compareRuns } from '../report/compare.ts';
import { findBaselines, type Baselines } from '../report/baseline.ts';
import { checkExpectations } from '../report/expectations.ts';
import { junitReport } from '../report/junit.ts';
import { readProfile, renderProfile, type SweepProfile } from '../report/profile.ts';
import { bestRunOf, renderComparison } from '../report/render-compare.ts';
import { weightsFinder } from '../report/find-weights.ts';
import { writeRunPlots } from '../report/run-plots.ts';
import { writeReport } from '../report/write-report.ts';
import { checkFrozen } from '../runner/calibration/frozen-kernels.ts';
import { loadPlanCode } from '../runner/plan-code.ts';
import { childIsBuilt, notBuilt } from '../executor/local/pool.ts';
import { runExperiment, type ExperimentOutcome } from '../runner/run-experiment.ts';
import type { Plan, Run } from '../plan/plan.ts';
import { emulatedBfloat16 } from '../tensorflow/processor.ts';
import { slowBackendWarning } from '../tensorflow/find-addon.ts';
import { createConsole } from './live/create-console.ts';
import { sweepDirectory } from '../mlflow/journal/sweeps.ts';
import { trackSweep } from '../mlflow/track-sweep.ts';
import type { RunOutcome } from '../record/events.ts';
import { proposedCommand } from '../system/proposed-command.ts';
import { writeWhole } from '../system/files.ts';
import { systemErrorOf } from '../system/system-error.ts';
import { addedBy, withRuns } from '../record/search-journal.ts';
import { listRuns } from '../record/read-runs.ts';
import { runDirectory } from '../record/run-recorder.ts';
import { resumeWords, stateOfReason } from '../record/run-state.ts';
import type { ExitCode, Terminal } from './command.ts';
import { listenForInterruption } from './interrupt.ts';
import { allowedServers } from './confirm-server.ts';
import type { StoreOptions } from '../store/open-address.ts';
import { openSessionStore, startStoreSession } from '../runner/store-session.ts';
import { screen } from './screen.ts';
import { prepareExecutor } from './executors.ts';
import { recordExecutor } from './sweep-executor.ts';
import type { ExecutorOptions } from './remote-executor.ts';
import { readSelection, type SelectionOptions } from './selection.ts';

/** Options that `run` and `resume` share, as commander reads them. */
export interface TrainOptions extends SelectionOptions, ExecutorOptions, StoreOptions {
  readonly concurrency?: number | undefined;
  readonly junit?: string | undefined;
  readonly profile?: boolean | undefined;
  readonly quiet?: boolean | undefined;
  readonly mlflow: boolean;
  readonly allowServer?: readonly string[] | undefined;
}

/** Trains what is missing of a plan with everything around it that the user sees, and ends with the comparison. */
export const trainPlan = async (
  plan: Plan,
  options: TrainOptions,
  { terminal, command }: { readonly terminal: Terminal; readonly command: 'run' | 'resume' },
): Promise<ExitCode> => {
  if (!childIsBuilt()) return terminal.refuse([notBuilt], options);
  const selection = readSelection(plan, options, command);
  if (!selection.ok) return terminal.refuse(selection.errors, options);
  const code = await loadPlanCode(plan, options.runsDirectory);
  if (!code.ok) return terminal.refuse(code.errors, options);
  const lost = await checkFrozen(plan, {
    runsDirectory: options.runsDirectory,
    force: selection.value.force,
  });
  if (lost) return terminal.refuse([lost], options);
  const allowServers = await allowedServers(plan, options, terminal);
  if (!allowServers) return 2;
  const baselines = findBaselines(plan, options.runsDirectory);
  if (!baselines.ok) return terminal.refuse(baselines.errors, options);
  const opened = await openSessionStore(options);
  if (!opened.ok) return terminal.refuse(opened.errors, options);
  terminal.report(opened.notices);
  const remote = await prepareExecutor(plan, options, { store: opened.value });
  if (!remote.ok) {
    await opened.value?.close();
    return terminal.refuse(remote.errors, options);
  }
  const { value: elsewhere } = remote;
  if (elsewhere) recordExecutor(options.runsDirectory, plan, elsewhere.name);
  terminal.report(elsewhere?.warnings ?? []);
  const slow = elsewhere ? undefined : slowBackendWarning();
  if (slow) terminal.report([slow]);
  const inBfloat16 = plan.runs.some(({ config: { train } }) => train.precision === 'bfloat16');
  const emulated = inBfloat16 && !elsewhere ? emulatedBfloat16() : undefined;
  if (emulated) terminal.report([emulated]);
  // With --json standard output belongs to programs; what people follow goes to the other stream.
  const stream = options.json ? process.stderr : process.stdout;
  const view = screen(stream);
  const { runsDirectory } = options;
  const console = createConsole({
    plan,
    stream,
    quiet: options.quiet === true,
    colour: view.colour,
    runsDirectory,
  });
  const note = (level: 'info' | 'warning') => (message: string) =>
    console.listener({ type: 'note', level, message });
  const store = startStoreSession(opened.value, {
    options,
    runsDirectory,
    onTaken: (run) => writeRunPlots(runDirectory(runsDirectory, run)),
    note: (level, message) => note(level)(message),
  });
  await store.takeFinished(plan, selection.value);
  const tracker = options.mlflow
    ? trackSweep({
        plan,
        runsDirectory,
        allowServers,
        print: note('warning'),
        onLink: (link) => note('info')(`compare in MLflow: ${link}`),
      })
    : undefined;
  const plots: Promise<unknown>[] = [];
  // A full disk has as many reasons to be reported as a sweep has runs; one message is enough.
  const withoutPlots = (error: unknown) => {
    if (!plotsFailed) note('warning')(`Plots of runs are not written: ${reasonOf(error)}.`);
    plotsFailed = true;
  };
  let plotsFailed = false;
  // Grows where the sweep chooses further points.
  let known = plan;
  let uploading = false;
  const interruption = listenForInterruption((stage) =>
    console.listener({
      type: 'note',
      level: 'warning',
      message: uploading
        ? 'Ending the upload.'
        : elsewhere && stage === 'stop'
          ? elsewhere.leaving
          : interruptionNote[stage],
    }),
  );
  try {
    const began = performance.now();
    const outcome = await runExperiment(plan, {
      runsDirectory,
      selection: selection.value,
      commandLine: terminal.commandLine,
      bundle: code.value,
      findWeights: weightsFinder(runsDirectory),
      profile: options.profile === true,
      take: selection.value.force ? undefined : store.take,
      listener: (event) => {
        console.listener(event);
        known = withRuns(known, addedBy(event));
        if (event.type === 'run-ended' && !event.willRetry) {
          const run = known.runs.find(({ id }) => id === event.runId);
          if (run) plots.push(writeRunPlots(runDirectory(runsDirectory, run)).catch(withoutPlots));
        }
        tracker?.listener(event);
        if (event.type === 'run-ended')
          store.listener(
            event,
            known.runs.find(({ id }) => id === event.runId),
          );
      },
      ...(elsewhere && { openExecutor: elsewhere.open, mayMeasure: elsewhere.mayMeasure }),
      stop: interruption.stop,
      kill: interruption.kill,
    });
    const wallMs = performance.now() - began;
    await Promise.all(plots);
    if (tracker)
      await keepReport(plan, runsDirectory).catch((error: unknown) =>
        note('warning')(`The report of this sweep is not written: ${reasonOf(error)}.`),
      );
    uploading = true;
    const { stop, kill } = interruption;
    // The next Ctrl-C ends the sending, whichever it is.
    const sent = await tracker?.finish({ cut: stop.aborted ? kill : stop });
    const taken = await store.finish(outcome.plan);
    console.stop();
    const checked = checkChosen(outcome, baselines.value);
    if (options.junit !== undefined) {
      const { chosen: runs, outcomes } = outcome;
      writeWhole(options.junit, junitReport({ plan: outcome.plan, runs, outcomes, checked }));
    }
    const { concurrency } = outcome.plan.execution;
    const measured = options.profile
      ? readProfile(outcome.trained, { runsDirectory, concurrency, wallMs })
      : undefined;
    const missed = checked.filter(({ met }) => !met);
    const comeBack = elsewhere && interruption.stop.aborted ? elsewhere.comeBack : undefined;
    summarize(outcome, { ...options, missed, measured, taken, isLeft: comeBack !== undefined }, terminal);
    if (!options.json) for (const line of comeBack ?? []) terminal.print(line);
    if (sent?.link && !options.json) terminal.print(`Compare in MLflow: ${sent.link}`);
    return exitCodeOf(outcome, checked, interruption.stop.aborted);
  } finally {
    console.stop();
    interruption.release();
  }
};

/** Why something beside the training failed, as the end of a sentence. */
const reasonOf = (error: unknown): string =>
  systemErrorOf(error)?.message ?? (error instanceof Error ? error.message : String(error));

/** Lays the report beside the plan, from where it goes to the server with the sweep's own files. */
const keepReport = async (plan: Plan, runsDirectory: string): Promise<void> => {
  const path = join(sweepDirectory(runsDirectory, plan), 'report.html');
  await writeReport({ sweeps: [{ plan, frozenAt: null }], otherSweeps: 0 }, { runsDirectory, path });
};

const interruptionNote = {
  stop: 'Stopping: each running run finishes its step and writes a checkpoint. Ctrl-C again to kill them at once.',
  kill: 'Killing the running runs. What is recorded is kept.',
} as const;

const checkChosen = ({ plan, chosen, outcomes }: ExperimentOutcome, baselines: Baselines) =>
  checkExpectations({ expect: plan.expect, runs: chosen }, outcomes, baselines);

type Checked = ReturnType<typeof checkChosen>;

const summarize = (
  { plan, toChoose, outcomes, trained }: ExperimentOutcome,
  options: TrainOptions & {
    readonly missed: Checked;
    readonly measured: SweepProfile | undefined;
    readonly taken: readonly Run[];
    /** Whether other machines continue the runs. */
    readonly isLeft: boolean;
  },
  terminal: Terminal,
): void => {
  const { runsDirectory, json, quiet, missed, measured, taken, isLeft } = options;
  const recorded = existsSync(runsDirectory)
    ? listRuns(runsDirectory, { experiment: plan.experiment }).runs
    : [];
  const comparison = compareRuns(recorded, {
    objective: plan.objective,
    planned: plan.runs,
    axes: plan.axes,
  });
  if (json) {
    const ids = trained.map(({ id }) => id);
    terminal.print(
      JSON.stringify(
        {
          experiment: plan.experiment,
          sweepId: plan.sweepId,
          data: plan.data ?? [],
          trained: ids,
          ...(taken.length > 0 && { taken: taken.map(({ id }) => id) }),
          outcomes,
          missed,
          comparison,
          ...(measured && { profile: measured }),
        },
        null,
        2,
      ),
    );
    return;
  }
  terminal.print('');
  terminal.print(renderComparison(comparison, screen(process.stdout)));
  terminal.print('');
  if (measured) terminal.print(`${renderProfile(measured, trained, screen(process.stdout))}\n`);
  for (const { message } of missed) terminal.print(`expectation missed: ${message}`);
  const unfinished = plan.runs.filter(({ id }) => !hasEnded(outcomes[id]));
  const propose = (...words: readonly string[]) => proposedCommand(words, runsDirectory);
  const [best] = comparison.configurations;
  const look = best ? bestRunOf(best, plan.objective.goal).id : (plan.runs[0]?.id ?? '');
  if (!quiet)
    terminal.print(
      `Recorded in ${runsDirectory}/${plan.experiment}; show a run with: ${propose('show', look)}; show all with: ${propose('report', plan.experiment)}`,
    );
  const left = unfinished.length + toChoose;
  if (left > 0) {
    const allFailed = toChoose === 0 && unfinished.every(({ id }) => hasFailed(outcomes[id]));
    const next = propose(...resumeWords(plan.sweepId, allFailed ? 'failed' : 'interrupted'));
    const how = isLeft ? '' : `; continue with: ${next}`;
    terminal.print(`${left} of ${plan.runs.length + toChoose} runs are not done${how}`);
  }
};

const hasFailed = (outcome: RunOutcome | undefined): boolean =>
  outcome !== undefined && stateOfReason(outcome.reason) === 'failed';

/** A pruned run has ended as well as one that is done. */
const hasEnded = (outcome: RunOutcome | undefined): boolean =>
  outcome?.reason === 'completed' || outcome?.reason === 'pruned';

const exitCodeOf = (
  { chosen, toChoose, outcomes }: ExperimentOutcome,
  checked: Checked,
  interrupted: boolean,
): ExitCode => {
  const done = chosen.every(({ id }) => hasEnded(outcomes[id])) && toChoose === 0;
  if (done) return checked.every(({ met }) => met) ? 0 : 1;
  return interrupted ? 130 : 1;
};
