import { PassThrough } from 'node:stream';
import { expect, onTestFinished, test, vi } from 'vitest';
import { createConsole } from '../../../src/cli/live/create-console.ts';
import type { RunEvent } from '../../../src/record/events.ts';
import type { Plan } from '../../../src/plan/plan.ts';
import { makePlan, sweepStart } from '../../support/run-directories.ts';
import { sweepEvents } from '../../support/sweep-events.ts';

/** What a pipe gets. */
const piped = (plan: Plan, events: readonly RunEvent[], options: object = {}): string => {
  const stream = new PassThrough();
  const { listener, stop } = createConsole({
    plan,
    stream,
    quiet: false,
    colour: false,
    runsDirectory: 'runs',
    ...options,
  });
  for (const event of events) listener(event);
  stop();
  stop();
  return String(stream.read() ?? '');
};

const plan = makePlan({ axes: { 'model.hiddenSize': [64, 128] }, steps: 100 });

test('a sweep on a pipe', () => {
  expect(piped(plan, sweepEvents(plan, { reasons: { 1: 'diverged' } }))).toMatchInlineSnapshot(`
    "2 runs; 2 at a time, 1 thread each
    started hiddenSize 64 (run 90fca63962cc)
    started hiddenSize 128 (run e623c86d1499)
    hiddenSize 64: 30/100 steps, loss 1.0952, 25.0 steps/s, 2.8s left
    hiddenSize 128: 30/100 steps, loss 0.7461, 25.0 steps/s, 2.8s left
    ✗ hiddenSize 128: diverged after step 50: The loss became NaN.
      log: runs/mnist-rows/e623c86d1499/log.txt
    hiddenSize 64: 60/100 steps, loss 0.5229, 25.0 steps/s, 1.6s left
    hiddenSize 64: 90/100 steps, loss 0.2198, 25.0 steps/s, 0.4s left
    ✓ hiddenSize 64  test/accuracy 0.9632  4.2s
    2 runs: 1 done, 1 failed in 4.5s; best test/accuracy 0.9632 with hiddenSize 64
    "
  `);
});

test('a single run on a pipe prints the display lines of the reference systems', () => {
  const single = makePlan({ steps: 40 });
  expect(piped(single, sweepEvents(single))).toMatchInlineSnapshot(`
    "started mnist-rows (run 44ac102ecc9f)
    81674 parameters, 40 steps on tensorflow
    Iter 1280, Minibatch Loss= 1.637347, Training Accuracy= 0.37500
    Iter 2560, Minibatch Loss= 1.097339, Training Accuracy= 0.57031
    Iter 3840, Minibatch Loss= 0.751962, Training Accuracy= 0.70313
    Iter 5120, Minibatch Loss= 0.557179, Training Accuracy= 0.78906
    step 40: test/accuracy 0.9580, test/loss 0.1344
    ✓ mnist-rows  test/accuracy 0.9580, test/loss 0.1344  40 steps in 1.8s
    1 run: 1 done in 2.0s
    "
  `);
});

test('a quick run is not spoken of more than once a second', () => {
  const lines = piped(plan, sweepEvents(plan, { stepMs: 5 })).split('\n');
  expect(lines.filter((line) => line.includes('steps/s'))).toEqual([]);
});

test('a slow run is spoken of every 15 seconds', () => {
  const slow = makePlan({ seeds: [1, 2], steps: 1000, concurrency: 1 });
  const lines = piped(slow, sweepEvents(slow, { stepMs: 500 })).split('\n');
  const spoken = lines.filter((line) => line.startsWith('seed 1: ') && line.includes('steps/s'));
  // 500 s of training; steps are reported every 5 s.
  expect(spoken).toHaveLength(33);
  expect(spoken[0]).toMatch(/^seed 1: 30\/1000 steps, loss \d\.\d{4}, 2\.0 steps\/s, 8m 05s left$/);
});

test('runs that ended before and runs that are left out are counted apart', () => {
  const three = makePlan({ axes: { 'model.hiddenSize': [16, 32, 64] }, steps: 100 });
  const [before, trained] = three.runs.map(({ id }) => id);
  const events = sweepEvents(three)
    .filter((event) => !('runId' in event) || event.runId === trained)
    .map((event) =>
      event.type === 'sweep-started' ? { ...event, toRun: 1, endedBefore: [before ?? ''] } : event,
    );
  const lines = piped(three, events).split('\n');
  expect(lines[0]).toBe('3 runs, 1 of them recorded before, 1 left out; 2 at a time, 1 thread each');
  expect(lines.at(-2)).toMatch(/^3 runs: 1 recorded before, 1 done, 1 left out in /);
});

test('quiet prints only what went wrong', () => {
  const events: RunEvent[] = [
    { type: 'note', level: 'info', message: 'nothing' },
    { type: 'note', level: 'warning', message: 'The disk is nearly full.' },
    ...sweepEvents(plan, { reasons: { 0: 'pruned', 1: 'crashed' } }),
  ];
  expect(piped(plan, events, { quiet: true })).toBe(
    `warning The disk is nearly full.\n` +
      `✗ hiddenSize 128: crashed after step 50: The loss became NaN.\n` +
      `  log: runs/mnist-rows/${plan.runs[1]?.id}/log.txt\n`,
  );
});

test('a retry is announced and counted once', () => {
  const [run = expect.fail()] = plan.runs;
  const outcome = {
    reason: 'crashed',
    message: 'Signal SIGKILL.',
    step: 5,
    elapsedMs: 100,
    metrics: {},
  } as const;
  const text = piped(plan, [
    { type: 'run-started', time: 0, runId: run.id, pid: 1, attempt: 1 },
    { type: 'run-ended', time: 1, runId: run.id, outcome, willRetry: true },
    { type: 'run-started', time: 2, runId: run.id, pid: 2, attempt: 2 },
    { type: 'run-ended', time: 3, runId: run.id, outcome, willRetry: false },
    { type: 'sweep-ended', time: 4, outcomes: {} },
  ]);
  expect(text).toContain('↻ hiddenSize 64: Signal SIGKILL. It is tried again.\n');
  expect(text).toContain(`started hiddenSize 64 (run ${run.id}, attempt 2)\n`);
  expect(text).toContain('2 runs: 1 failed, 1 not started\n');
});

test('on a terminal, ended runs stay and the moving lines go', () => {
  const stream = Object.assign(new PassThrough(), { isTTY: true, columns: 80, rows: 24 });
  const { listener, stop } = createConsole({
    plan,
    stream,
    quiet: false,
    colour: true,
    runsDirectory: 'runs',
    live: true,
  });
  for (const event of sweepEvents(plan, { reasons: { 1: 'diverged' } })) listener(event);
  stop();
  const text = String(stream.read() ?? '');
  expect(text).toContain('\u001b[32m✓\u001b[39m hiddenSize 64');
  expect(text).toContain('\u001b[31m✗\u001b[39m hiddenSize 128');
  expect(stream.listenerCount('resize')).toBe(0);
});

test('a terminal is redrawn at most ten times a second, however quick the events', () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  let writes = 0;
  const stream = Object.assign(new PassThrough(), { isTTY: true, columns: 80, rows: 24 });
  stream.on('data', () => writes++);
  const { listener, stop } = createConsole({
    plan,
    stream,
    quiet: false,
    colour: false,
    runsDirectory: 'runs',
    live: true,
  });
  for (const event of sweepEvents(plan).slice(0, 3)) listener(event);
  for (let step = 1; step <= 1000; step++) {
    const time = sweepStart + 300 + step;
    const metrics = { 'train/loss': 1000 / step };
    const event = { type: 'step-logged', time, step, examples: step, metrics } as const;
    listener({ type: 'run-progressed', runId: plan.runs[0]?.id ?? '', event, residentBytes: 340e6 });
    vi.advanceTimersByTime(1);
  }
  expect(writes).toBeGreaterThan(5);
  expect(writes).toBeLessThanOrEqual(10);
  stop();
});
