import { appendFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { forTerminal } from '../../src/terminal/colours.ts';
import { diffRuns, renderDiff } from '../../src/report/diff.ts';
import { loadRunDetails, runDetailsToJson, type RunDetails } from '../../src/report/run-details.ts';
import { listSweeps } from '../../src/record/read-sweeps.ts';
import { listedRuns } from '../../src/report/listed-runs.ts';
import { renderRunList, runListToJson } from '../../src/report/run-list.ts';
import { renderRun } from '../../src/report/show.ts';
import { listRuns } from '../../src/record/read-runs.ts';
import { formatTime } from '../../src/terminal/format.ts';
import { makePlan, sweepStart, writeRunDirectory, writeSweep } from '../support/run-directories.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const plan = makePlan({ axes: { 'model.hiddenSize': [64, 128] }, seeds: [1, 2] });
const [firstRun = expect.fail(), secondRun = expect.fail(), thirdRun = expect.fail()] = plan.runs;

const detailsOf = async (directory: string): Promise<RunDetails> => {
  const details = await loadRunDetails(directory);
  return details.ok ? details.value : expect.fail();
};

/** Paths and times of this machine replaced by names. */
const masked = (text: string, runs: string) =>
  text.replaceAll(runs, 'RUNS').replaceAll(formatTime(sweepStart), 'YYYY-MM-DD hh:mm');

test('show: a run that is done', async () => {
  const runs = temporaryDirectory();
  const details = await detailsOf(writeRunDirectory(runs, firstRun));
  expect(masked(renderRun(details, { width: 90, colour: false }), runs)).toMatchInlineSnapshot(`
    "mnist-rows/90fca63962cc  done
      hiddenSize 64, seed 1

    status
      began       YYYY-MM-DD hh:mm
      ended       YYYY-MM-DD hh:mm
      trained     4.0s
      steps       100 of 100

    configuration
      dataset     mnist-rows, validationSize 5000
      model       lstm, hiddenSize 64, forgetBias 1, layers 1
      optimizer   adam, learningRate 0.001, beta1 0.9, beta2 0.999
      train       batchSize 128, steps 100, displayEvery 10, shuffle true, lastBatch keep,
                  keepCheckpoints last
      seed        1

    metrics
      metric           value  lowest  highest  points  curve
      train/loss      0.1607  0.1607   1.7205      10  █▆▅▄▃▃▂▂▁▁
      train/accuracy  0.9297  0.3203   0.9297      10  ▁▃▄▅▆▇▇▇██
      test/accuracy   0.9632                        1
      test/loss       0.1178                        1

    environment
      command     unroll run experiments/mnist-rows.yaml
      versions    unroll 0.1.0, TensorFlow 2.21.0, Node v20.19.0
      back end    tensorflow, kernel block, 1 thread
      machine     example: Example CPU @ 2.50GHz, 2 cores, linux-x64
      git         0123456789ab on main

    files
      RUNS/mnist-rows/90fca63962cc
      run.json  status.json  environment.json  metrics.jsonl  log.txt  evaluation.json"
  `);
});

test.each([
  [{ ownKernels: '0123456789abcdef', instructionSet: 'AVX2' }, "1 thread, Unroll's kernels for AVX2"],
  [{ ownKernels: null, instructionSet: null }, "1 thread, without Unroll's kernels"],
])('show and diff: %j', async (kernels, shown) => {
  const details = await detailsOf(writeRunDirectory(temporaryDirectory(), firstRun));
  const now = { ...details, environment: details.environment && { ...details.environment, ...kernels } };
  expect(renderRun(now, { width: 90, colour: false })).toContain(`tensorflow, kernel block, ${shown}\n`);
  const { ownKernels } = kernels;
  expect(diffRuns(details, now).surroundings.filter(({ path }) => path === 'ownKernels')).toEqual(
    ownKernels === null ? [] : [{ path: 'ownKernels', one: null, other: ownKernels }],
  );
});

test('show: a failed run says why, shows the end of its log and what to do', async () => {
  const runs = temporaryDirectory();
  const directory = writeRunDirectory(runs, firstRun, { state: 'diverged', step: 20 });
  appendFileSync(join(directory, 'log.txt'), 'ended: diverged: The loss became NaN.\n');
  rmSync(join(directory, 'environment.json'));
  const text = masked(renderRun(await detailsOf(directory), { width: 90, colour: false }), runs);
  expect(text).toMatchInlineSnapshot(`
    "mnist-rows/90fca63962cc  failed
      hiddenSize 64, seed 1
      The loss became NaN.

    status
      began       YYYY-MM-DD hh:mm
      ended       YYYY-MM-DD hh:mm
      trained     0.8s
      steps       20 of 100

    configuration
      dataset     mnist-rows, validationSize 5000
      model       lstm, hiddenSize 64, forgetBias 1, layers 1
      optimizer   adam, learningRate 0.001, beta1 0.9, beta2 0.999
      train       batchSize 128, steps 100, displayEvery 10, shuffle true, lastBatch keep,
                  keepCheckpoints last
      seed        1

    metrics
      metric           value  lowest  highest  points  curve
      train/loss         NaN  1.7205   1.7205       2  ▁×
      train/accuracy  0.5000  0.3203   0.5000       2  ▁█

    end of the log
      Iter 1280, Minibatch Loss= 1.720512, Training Accuracy= 0.32031
      Iter 2560, Minibatch Loss= NaN, Training Accuracy= 0.50000
      ended: diverged: The loss became NaN.

    files
      RUNS/mnist-rows/90fca63962cc
      run.json  status.json  metrics.jsonl  log.txt

    next
      try again with: unroll resume mnist-rows --retry-failed --runs-directory RUNS"
  `);
});

test('show: an interrupted run says how to go on; colour comes only when allowed', async () => {
  const details = await detailsOf(
    writeRunDirectory(temporaryDirectory(), firstRun, { state: 'interrupted', step: 50 }),
  );
  const text = renderRun(details, { width: 80, colour: false });
  expect(text).toContain('next\n  resume with: unroll resume mnist-rows --runs-directory ');
  expect(text).not.toContain('\u001b');
  expect(forTerminal(renderRun(details, { width: 80, colour: true }), true)).toContain(
    '\u001b[33minterrupted\u001b[39m',
  );
});

test('show: JSON keeps the files and writes NaN as text', async () => {
  const details = await detailsOf(
    writeRunDirectory(temporaryDirectory(), firstRun, { state: 'diverged', step: 20 }),
  );
  const json = JSON.parse(JSON.stringify(runDetailsToJson(details))) as Record<string, unknown>;
  expect(json).toMatchObject({
    state: 'failed',
    run: firstRun,
    metrics: { 'train/loss': { steps: [10, 20], values: [expect.any(Number), 'NaN'] } },
  });
});

test('ls: every run with its state, and how many are in which', () => {
  const runs = temporaryDirectory();
  writeSweep(
    runs,
    plan,
    (_run, index) =>
      [{}, { state: 'crashed', step: 10 } as const, {}, { state: 'new' } as const][index] ?? {},
  );
  const list = listedRuns(listRuns(runs).runs, listSweeps(runs).sweeps);
  expect(masked(renderRunList(list, { width: 80, colour: false }), runs)).toMatchInlineSnapshot(`
    "run           state   settings                test/accuracy  began
    988a1e8fb460  new     hiddenSize 128, seed 2
    e623c86d1499  done    hiddenSize 128, seed 1         0.9620  YYYY-MM-DD hh:mm
    eb7329018c18  failed  hiddenSize 64, seed 2                  YYYY-MM-DD hh:mm
    90fca63962cc  done    hiddenSize 64, seed 1          0.9632  YYYY-MM-DD hh:mm
    Too narrow for steps, time: widen the terminal.

    4 runs: 2 done, 1 failed, 1 new"
  `);
  expect(runListToJson(list)).toMatchObject([
    { state: 'new', step: null },
    { state: 'done', step: 100, metrics: { 'test/accuracy': expect.any(Number) as number } },
    { state: 'failed', reason: 'The process ended by signal SIGSEGV.' },
    { state: 'done', id: firstRun.id, seed: 1, varying: { 'model.hiddenSize': 64, seed: 1 } },
  ]);
  expect(renderRunList([], { width: 80, colour: false })).toBe('No runs are recorded there yet.');
});

test('diff: settings, surroundings and metrics of two runs', async () => {
  const runs = temporaryDirectory();
  const one = await detailsOf(writeRunDirectory(runs, firstRun));
  const other = await detailsOf(writeRunDirectory(runs, thirdRun));
  const diff = diffRuns(one, {
    ...other,
    environment: other.environment && { ...other.environment, threads: 2 },
  });
  expect(diff.configuration).toEqual([{ path: 'model.hiddenSize', one: 64, other: 128 }]);
  expect(diff.surroundings).toEqual([{ path: 'threads', one: 1, other: 2 }]);
  expect(diff.partsAtStep).toBe(10);
  expect(renderDiff(diff, { width: 80, colour: false })).toMatchInlineSnapshot(`
    "configuration
                        90fca639  e623c86d
      model.hiddenSize        64       128

    surroundings
               90fca639  e623c86d
      threads         1         2

    metrics
                      90fca639  e623c86d  difference
      train/loss        0.1607    0.1366    -0.02409
      train/accuracy    0.9297    0.9453    +0.01563
      test/accuracy     0.9632    0.9620   -0.001200
      test/loss         0.1178    0.1216   +0.003840

    Their losses part at step 10."
  `);
});

test('diff: runs that are the same part nowhere; a seed is a setting', async () => {
  const runs = temporaryDirectory();
  const one = await detailsOf(writeRunDirectory(runs, firstRun));
  const same = diffRuns(one, one);
  expect(same).toMatchObject({ configuration: [], surroundings: [], partsAtStep: null });
  expect(same.metrics.every((pair) => pair.difference === 0)).toBe(true);
  const seed = diffRuns(one, await detailsOf(writeRunDirectory(runs, secondRun)));
  expect(seed.configuration).toEqual([{ path: 'seed', one: 1, other: 2 }]);
});
