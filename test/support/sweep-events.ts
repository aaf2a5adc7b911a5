import type { Plan, Run } from '../../src/plan/plan.ts';
import type { OutcomeReason, RunEvent, RunOutcome } from '../../src/record/events.ts';
import { finalMetrics, metricsAt, sweepStart } from './run-directories.ts';

export interface EventOptions {
  /** How a run ends, by its index in the plan; completed unless told. */
  readonly reasons?: Readonly<Record<number, OutcomeReason>>;
  /** Milliseconds that a step takes. */
  readonly stepMs?: number;
}

/**
 * The events of a sweep that trains two runs at a time (or as the plan says), in the order of their times: what a
 * runner would say, without any training.
 */
export const sweepEvents = (plan: Plan, { reasons = {}, stepMs = 40 }: EventOptions = {}): RunEvent[] => {
  const { concurrency, threadsPerRun } = plan.execution;
  const free = new Array<number>(concurrency).fill(sweepStart + 200);
  const outcomes: Record<string, RunOutcome> = {};
  const events: { time: number; event: RunEvent }[] = [];
  for (const [index, run] of plan.runs.entries()) {
    const lane = free.indexOf(Math.min(...free));
    const made = runEvents(run, {
      begin: free[lane] ?? sweepStart,
      reason: reasons[index] ?? 'completed',
      pid: 1000 + lane,
      stepMs,
    });
    events.push(...made.events);
    outcomes[run.id] = made.outcome;
    free[lane] = made.end + 50;
  }
  const end = Math.max(...free);
  return [
    {
      type: 'sweep-started',
      time: sweepStart,
      runCount: plan.runs.length,
      toRun: plan.runs.length,
      endedBefore: [],
      concurrency,
      threadsPerRun,
    },
    ...events.sort((a, b) => a.time - b.time).map(({ event }) => event),
    { type: 'sweep-ended', time: end, outcomes },
  ];
};

const runEvents = (
  run: Run,
  how: {
    readonly begin: number;
    readonly reason: OutcomeReason;
    readonly pid: number;
    readonly stepMs: number;
  },
) => {
  const { begin, reason, pid, stepMs } = how;
  const { batchSize, displayEvery, steps } = run.config.train;
  const totalSteps = steps ?? 100;
  const lastStep = reason === 'completed' ? totalSteps : Math.floor(totalSteps / 2);
  const events: { time: number; event: RunEvent }[] = [
    { time: begin, event: { type: 'run-started', time: begin, runId: run.id, pid, attempt: 1 } },
    {
      time: begin + 100,
      event: {
        type: 'run-progressed',
        runId: run.id,
        residentBytes: 340e6,
        event: {
          type: 'training-started',
          time: begin + 100,
          backend: 'tensorflow',
          kernel: 'block',
          parameterCount: 81_674,
          totalSteps,
          fromStep: 0,
        },
      },
    },
  ];
  for (let step = displayEvery; step <= lastStep; step += displayEvery) {
    const time = begin + 100 + step * stepMs;
    events.push({
      time,
      event: {
        type: 'run-progressed',
        runId: run.id,
        residentBytes: 340e6,
        event: { type: 'step-logged', time, step, examples: step * batchSize, metrics: metricsAt(run, step) },
      },
    });
  }
  const end = begin + 100 + lastStep * stepMs + 100;
  const evaluation = reason === 'completed' ? finalMetrics(run, totalSteps) : {};
  if (reason === 'completed') {
    const event = { type: 'evaluated', time: end, step: lastStep, metrics: evaluation } as const;
    events.push({ time: end, event: { type: 'run-progressed', runId: run.id, event, residentBytes: 340e6 } });
  }
  const outcome: RunOutcome = {
    reason,
    message: reason === 'completed' ? 'Every step was done.' : 'The loss became NaN.',
    step: lastStep,
    elapsedMs: end - begin,
    metrics: { ...metricsAt(run, lastStep), ...evaluation },
  };
  events.push(
    {
      time: end,
      event: {
        type: 'run-progressed',
        runId: run.id,
        residentBytes: 340e6,
        event: { type: 'training-ended', time: end, outcome },
      },
    },
    {
      time: end + 1,
      event: { type: 'run-ended', time: end + 1, runId: run.id, outcome, willRetry: false },
    },
  );
  return { events, outcome, end };
};
