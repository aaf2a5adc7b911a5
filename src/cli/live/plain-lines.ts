import { isShown } from '../../metrics/metrics.ts';
import { counted, formatDuration, formatMetric, formatRate } from '../../terminal/format.ts';
import { displayLine } from '../../record/run-recorder.ts';
import type { RunEvent } from '../../record/events.ts';
import { remainingOf, type RunningRun, speedOf, type SweepState } from './sweep-state.ts';

/** When a run was last spoken of on a pipe. */
export type SpokenOf = Map<string, { readonly step: number; readonly time: number }>;

const share = 0.1;
const longestSilenceMs = 15_000;
const shortestSilenceMs = 1_000;

/**
 * What a pipe gets of an event that the state has taken in: the beginning, a line at each tenth of the steps or each
 * 15 seconds, whichever comes first (but not two within a second). A plan of one run prints every display line instead.
 */
export const plainLines = (state: SweepState, spokenOf: SpokenOf, event: RunEvent): string[] => {
  switch (event.type) {
    case 'sweep-started': {
      const { runCount, toRun, endedBefore, concurrency, threadsPerRun } = event;
      if (runCount === 1) return [];
      const before = endedBefore.length;
      const known = before > 0 ? `, ${before} of them recorded before` : '';
      const leftOut = runCount - before - toRun;
      const others = leftOut > 0 ? `, ${leftOut} left out` : '';
      return [
        `${counted(runCount, 'run')}${known}${others}; ${concurrency} at a time, ${counted(threadsPerRun, 'thread')} each`,
      ];
    }
    case 'run-started': {
      const running = state.running.get(event.runId);
      if (!running) return [];
      spokenOf.set(event.runId, { step: 0, time: event.time });
      const again = event.attempt > 1 ? `, attempt ${event.attempt}` : '';
      const where = event.host === undefined ? '' : ` on ${event.host}`;
      return [`started ${running.name}${where} (run ${event.runId}${again})`];
    }
    case 'run-progressed': {
      const running = state.running.get(event.runId);
      if (!running) return [];
      if (state.plan.runs.length === 1) return singleRunLines(event.event);
      return event.event.type === 'step-logged' ? progressLines(running, spokenOf, event.event.time) : [];
    }
    case 'work-estimated':
    case 'runs-added':
    case 'hosts-changed':
    case 'run-ended':
    case 'note':
    case 'sweep-ended':
      return [];
  }
};

const progressLines = (running: RunningRun, spokenOf: SpokenOf, time: number): string[] => {
  const id = running.run.id;
  const spoken = spokenOf.get(id) ?? { step: 0, time: running.startedAt };
  const silence = time - spoken.time;
  const due = running.step - spoken.step >= share * running.totalSteps || silence >= longestSilenceMs;
  if (!due || silence < shortestSilenceMs || running.step >= running.totalSteps) return [];
  spokenOf.set(id, { step: running.step, time });
  const loss = running.metrics['train/loss'];
  return [
    [
      `${running.name}: ${running.step}/${running.totalSteps} steps`,
      loss !== undefined && `loss ${formatMetric(loss)}`,
      Number.isFinite(speedOf(running)) && `${formatRate(speedOf(running))} steps/s`,
      Number.isFinite(remainingOf(running)) && `${formatDuration(remainingOf(running))} left`,
    ]
      .filter(Boolean)
      .join(', '),
  ];
};

type Progress = Extract<RunEvent, { type: 'run-progressed' }>['event'];

const singleRunLines = (event: Progress): string[] => {
  switch (event.type) {
    case 'training-started':
      return [
        `${counted(event.parameterCount, 'parameter')}, ${counted(event.totalSteps, 'step')} on ${event.backend}` +
          (event.fromStep > 0 ? `, going on after step ${event.fromStep}` : ''),
      ];
    case 'step-logged':
      return [displayLine(event)];
    case 'evaluated':
      return [
        `step ${event.step}: ${Object.entries(event.metrics)
          .filter(([name]) => isShown(name))
          .map(([name, value]) => `${name} ${formatMetric(value)}`)
          .join(', ')}`,
      ];
    // Printed as a note of the sweep.
    case 'record-distrusted':
    case 'checkpoint-written':
    case 'training-ended':
      return [];
  }
};
