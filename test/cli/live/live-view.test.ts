import stringWidth from 'string-width';
import { expect, test } from 'vitest';
import { progressBar, renderLive, summaryLine } from '../../../src/cli/live/live-view.ts';
import { applyEvent, createSweepState, remainingOfSweep } from '../../../src/cli/live/sweep-state.ts';
import type { Plan } from '../../../src/plan/plan.ts';
import { makePlan, sweepStart } from '../../support/run-directories.ts';
import { sweepEvents } from '../../support/sweep-events.ts';

const plan = makePlan({
  axes: { 'model.hiddenSize': [64, 128], 'optimizer.learningRate': [0.001, 0.003] },
  seeds: [1, 2],
  steps: 200,
});

const stateAt = (ofPlan: Plan, ms: number, options?: Parameters<typeof sweepEvents>[1]) => {
  const state = createSweepState(ofPlan);
  for (const event of sweepEvents(ofPlan, options)) {
    const time = event.type === 'run-progressed' ? event.event.time : 'time' in event ? event.time : 0;
    if (time <= sweepStart + ms) applyEvent(state, event);
  }
  return state;
};

const view = (
  ofPlan: Plan,
  ms: number,
  size: { width: number; height?: number },
  options?: Parameters<typeof sweepEvents>[1],
) =>
  renderLive(stateAt(ofPlan, ms, options), { height: 24, colour: false, now: sweepStart + ms, ...size }).join(
    '\n',
  );

test('a sweep at 120 columns', () => {
  expect(view(plan, 23_000, { width: 120 }, { reasons: { 1: 'diverged' } })).toMatchInlineSnapshot(`
    "hiddenSize 128, learningRate 0.001, seed 2  ━━━━━━━━━━━━────  150/200  █▆▄▃▂▂▂▁▁▁▁▁  loss 0.1528   25.0/s     2.0s
    hiddenSize 128, learningRate 0.003, seed 1  ━━━─────────────   40/200  █▄▂▁          loss 0.4145   25.0/s     6.4s
    ━━━━━━━━━━━━━───────  5/8 runs  1 failed  23s, 8.3s left  best 0.9667 hiddenSize 128, learningRate 0.001, seed 1"
  `);
});

test('where there is room, the memory of each run', () => {
  const rows = view(plan, 23_000, { width: 140 }).split('\n').slice(0, -1);
  expect(rows.length).toBeGreaterThan(0);
  for (const row of rows) expect(row).toMatch(/ 340 MB$/);
});

test('a sweep at 80 columns', () => {
  expect(view(plan, 23_000, { width: 80 }, { reasons: { 1: 'diverged' } })).toMatchInlineSnapshot(`
    "128 · 0.001 · seed 2  ━━━━━━━━━───  150/200  █▅▃▂▁▁▁▁  loss 0.1528     2.0s
    128 · 0.003 · seed 1  ━━──────────   40/200  █▄▂▁      loss 0.4145     6.4s
    ━━━━━━────  5/8 runs  1 failed  23s, 8.3s left  best 0.9667 hiddenSize 128, le…"
  `);
});

test('runs that have just begun', () => {
  expect(view(plan, 250, { width: 80 })).toMatchInlineSnapshot(`
    "64 · 0.001 · seed 1  ────────────  starting
    64 · 0.001 · seed 2  ────────────  starting
    ──────────  0/8 runs  0.3s"
  `);
});

test('a single run has no line for the sweep', () => {
  expect(view(makePlan({ steps: 781 }), 9_000, { width: 80 })).toMatchInlineSnapshot(
    `"mnist-rows  ━━━─────────  210/781  █▄▂▂▂▁▁▁  loss 0.001193   25.0/s      23s"`,
  );
});

test('more running runs than lines are counted, not shown', () => {
  const wide = makePlan({ axes: { 'model.hiddenSize': [1, 2, 3, 4, 5, 6, 7, 8] }, concurrency: 8 });
  expect(view(wide, 3_000, { width: 60, height: 7 }).split('\n')).toMatchObject({
    length: 5,
    3: 'and 5 more running',
  });
});

test('no line is ever wider than the terminal, at any size and moment', () => {
  for (const ms of [0, 250, 3_000, 23_000, 40_000]) {
    for (let width = 10; width <= 130; width += 7) {
      for (const line of view(plan, ms, { width }).split('\n')) {
        expect(stringWidth(line)).toBeLessThan(width);
      }
    }
  }
});

test('the estimate counts the runs that wait', () => {
  const half = stateAt(plan, 23_000);
  // 8 runs of 8.3 s, two at a time: 33 s in all.
  const left = remainingOfSweep(half, sweepStart + 23_000);
  expect(left).toBeGreaterThan(8_000);
  expect(left).toBeLessThan(13_000);
  expect(remainingOfSweep(stateAt(plan, 0), sweepStart)).toBeNaN();
});

test('the estimate knows which runs are long', () => {
  const now = sweepStart + 9_000;
  const begun = stateAt(plan, 9_000);
  const alike = remainingOfSweep(begun, now);
  // The two that have ended were ten times as long as the others, two of which run and four wait.
  const work = plan.runs.map(({ id }, index): [string, number] => [id, index < 2 ? 10 : 1]);
  applyEvent(begun, { type: 'work-estimated', work: Object.fromEntries(work) });
  const told = remainingOfSweep(begun, now);
  // Four runs of 8.3 s are 22 units of work: 4 of them wait, not 4 runs of 8.3 s; two at a time.
  const wait = 4 * 8_300;
  expect(Math.abs(alike - told - (wait - (4 * wait) / 22) / 2)).toBeLessThan(300);
});

test('the summary counts every run once', () => {
  const failing = stateAt(plan, 1e9, { reasons: { 1: 'diverged', 2: 'interrupted', 3: 'not-started' } });
  expect(summaryLine(failing, { colour: false, now: sweepStart + 33_000 })).toMatchInlineSnapshot(
    `"8 runs: 5 done, 1 failed, 1 interrupted, 1 not started in 33s; best test/accuracy 0.9667 (mean of 2 runs) with hiddenSize 128, learningRate 0.001"`,
  );
  expect(summaryLine(stateAt(makePlan(), 1e9), { colour: false, now: sweepStart + 5_000 })).toBe(
    '1 run: 1 done in 5.0s',
  );
});

test('the best is the configuration with the best mean, whatever was recorded before', () => {
  const values = [0.9, 0.5, 0.8, 0.75, 0.6, 0.6, 0.1, 0.2];
  const outcomeOf = (index: number) => ({
    reason: 'completed' as const,
    message: '',
    step: 200,
    elapsedMs: 1000,
    metrics: { 'test/accuracy': values[index] ?? NaN },
  });
  const before = plan.runs.slice(0, 4);
  const state = createSweepState(plan);
  applyEvent(state, {
    type: 'sweep-started',
    time: sweepStart,
    runCount: 8,
    toRun: 4,
    endedBefore: before.map(({ id }) => id),
    outcomesBefore: Object.fromEntries(before.map(({ id }, index) => [id, outcomeOf(index)])),
    concurrency: 2,
    threadsPerRun: 1,
  });
  for (const [index, { id: runId }] of plan.runs.entries()) {
    if (index >= 4)
      applyEvent(state, {
        type: 'run-ended',
        time: sweepStart,
        runId,
        outcome: outcomeOf(index),
        willRetry: false,
      });
  }
  expect(summaryLine(state, { colour: false, now: sweepStart + 1000 })).toBe(
    '8 runs: 4 recorded before, 4 done in 1.0s; best test/accuracy 0.7750 (mean of 2 runs) with hiddenSize 64, learningRate 0.003',
  );
});

test('no run is the best of runs whose scores cannot be compared', () => {
  const mixed: Plan = {
    ...plan,
    runs: plan.runs.map((run, index) => ({
      ...run,
      config: { ...run.config, dataset: { name: index < 4 ? 'adding-problem' : 'copy-memory' } },
    })),
  };
  expect(summaryLine(stateAt(mixed, 1e9), { colour: false, now: sweepStart + 33_000 })).toBe(
    '8 runs: 8 done in 33s',
  );
});

test('a bar is as long as asked, whatever the fraction', () => {
  expect([-1, 0, 0.5, 1, 2, NaN].map((fraction) => progressBar(fraction, 4))).toEqual([
    '────',
    '────',
    '━━──',
    '━━━━',
    '━━━━',
    '────',
  ]);
});
