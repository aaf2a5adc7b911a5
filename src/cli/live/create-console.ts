import { masked } from '../../system/secrets.ts';
import { createColours } from '../../terminal/colours.ts';
import type { Plan } from '../../plan/plan.ts';
import type { RunEvent, RunListener } from '../../record/events.ts';
import { renderLive, summaryLine } from './live-view.ts';
import { endLines } from './permanent-lines.ts';
import { plainLines, type SpokenOf } from './plain-lines.ts';
import { stateOfReason } from '../../record/run-state.ts';
import { runName } from '../../terminal/run-name.ts';
import { applyEvent, createSweepState } from './sweep-state.ts';
import { writeText } from '../../terminal/output.ts';
import { createTerminal, type OutputStream } from '../../terminal/terminal.ts';

export interface ConsoleOptions {
  readonly plan: Plan;
  readonly stream: OutputStream;
  /** Failures and warnings only. */
  readonly quiet: boolean;
  readonly colour: boolean;
  /** The directory of runs, as people should read it in paths of logs. */
  readonly runsDirectory: string;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
  /** Whether lines may move; by default on a terminal that can (not with `TERM=dumb`). */
  readonly live?: boolean;
}

/**
 * Shows a sweep while it runs. On a terminal: a moving line for each running run and one for the sweep, ended runs
 * above them. On a pipe: plain lines. `stop` may be called at any time, and again; it leaves the cursor visible.
 */
export const createConsole = (
  options: ConsoleOptions,
): { readonly listener: RunListener; readonly stop: () => void } => {
  const { plan, stream, quiet, colour, runsDirectory, now = Date.now } = options;
  const live = !quiet && (options.live ?? (stream.isTTY === true && process.env['TERM'] !== 'dumb'));
  const state = createSweepState(plan);
  const spokenOf: SpokenOf = new Map();
  const terminal = live
    ? createTerminal(stream, (size) => renderLive(state, { ...size, colour, now: now() }))
    : undefined;

  const print = (shown: readonly string[]) => {
    const lines = shown.map(masked);
    if (terminal) terminal.print(lines);
    else if (lines.length > 0) writeText(stream, `${lines.join('\n')}\n`, colour);
  };

  const stays = (event: RunEvent): string[] => {
    switch (event.type) {
      case 'run-ended': {
        const run = state.plan.runs.find((one) => one.id === event.runId);
        const isFine = ['done', 'pruned'].includes(stateOfReason(event.outcome.reason)) || event.willRetry;
        if (!run || (quiet && isFine)) return [];
        return endLines({
          run,
          name: runName(run, state.names),
          outcome: event.outcome,
          willRetry: event.willRetry,
          runsDirectory,
          objectiveMetric: plan.objective.metric,
          brief: plan.runs.length > 1,
          colour,
        });
      }
      case 'note': {
        const pc = createColours(colour);
        if (event.level === 'warning') return [`${pc.yellow('warning')} ${event.message}`];
        return quiet ? [] : [event.message];
      }
      case 'sweep-ended':
        return quiet ? [] : [summaryLine(state, { colour, now: event.time })];
      case 'sweep-started':
      case 'work-estimated':
      case 'runs-added':
      case 'hosts-changed':
      case 'run-started':
      case 'run-progressed':
        return [];
    }
  };

  const listener: RunListener = (event) => {
    applyEvent(state, event);
    if (!live && !quiet) print(plainLines(state, spokenOf, event));
    print(stays(event));
    terminal?.touch();
    if (event.type === 'sweep-ended') terminal?.close();
  };

  return { listener, stop: () => terminal?.close() };
};
