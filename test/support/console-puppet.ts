import { createConsole } from '../../src/cli/live/create-console.ts';
import { makePlan, sweepStart } from './run-directories.ts';
import { sweepEvents } from './sweep-events.ts';

/**
 * A console in a process of its own, moved by keys: `n` plays events until the next run has ended, `c` crashes with an
 * exception, `q` ends the process in order. The clock is that of the events.
 */
const plan = makePlan({
  axes: { 'model.hiddenSize': [64, 128], 'optimizer.learningRate': [0.001, 0.003] },
  seeds: [1, 2],
  steps: 200,
});
const events = sweepEvents(plan, { reasons: { 1: 'diverged' } });

let clock = sweepStart;
const { listener, stop } = createConsole({
  plan,
  stream: process.stdout,
  quiet: false,
  colour: true,
  runsDirectory: 'runs',
  now: () => clock,
});

const playUntilEnd = () => {
  for (let event = events.shift(); event; event = events.shift()) {
    if (event.type === 'run-progressed') clock = event.event.time;
    else if ('time' in event) clock = event.time;
    listener(event);
    if (event.type === 'run-ended') return;
  }
};

process.stdin.setRawMode(true);
process.stdin.on('data', (keys) => {
  for (const key of keys.toString()) {
    if (key === 'n') playUntilEnd();
    else if (key === 'c') throw new Error('The puppet was told to crash.');
    else if (key === 'q') {
      stop();
      process.stdin.setRawMode(false);
      process.exit();
    }
  }
});
process.stdout.write('ready\n');
