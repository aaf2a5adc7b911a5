import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parquetReadObjects } from 'hyparquet';
import { expect, test } from 'vitest';
import { forTerminal } from '../../src/terminal/colours.ts';
import { comparisonToParquet } from '../../src/report/compare-parquet.ts';
import { comparisonRows } from '../../src/report/compare-rows.ts';
import { comparisonToCsv } from '../../src/report/compare-csv.ts';
import { compareRuns } from '../../src/report/compare.ts';
import { renderComparison } from '../../src/report/render-compare.ts';
import { type RecordedRun, reasonOf, stateOf } from '../../src/record/run-state.ts';
import type { OutcomeReason } from '../../src/record/events.ts';
import type { Plan, Run } from '../../src/plan/plan.ts';
import type { Json } from '../../src/system/json.ts';
import { makePlan } from '../support/run-directories.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

/** A recorded run with the given end, without a directory. */
const recorded = (
  run: Run,
  metrics: Record<string, number>,
  reason: OutcomeReason = 'completed',
): RecordedRun => {
  const status = {
    state: 'ended',
    attempt: 1,
    startedAt: 0,
    endedAt: 1000,
    outcome: { reason, message: `It ended: ${reason}.`, step: 100, elapsedMs: 4000, metrics },
    holder: null,
  } as const;
  return {
    directory: `runs/x/${run.id}`,
    run,
    status,
    state: stateOf(status, run.id),
    reason: reasonOf(status, run.id),
    metrics,
  };
};

const plan = makePlan({
  axes: { 'model.hiddenSize': [64, 128], 'optimizer.learningRate': [0.001, 0.01] },
  seeds: [1, 2, 3],
});
const accuracies = [0.95, 0.952, 0.957, 0.91, 0.912, 0.909, 0.96, 0.955, 0.958];
const compare = (ofPlan: Plan, runs: readonly RecordedRun[], more: object = {}) =>
  compareRuns(runs, { objective: ofPlan.objective, planned: ofPlan.runs, axes: ofPlan.axes, ...more });
const some = plan.runs
  .slice(0, 9)
  .map((run, i) => recorded(run, { 'test/accuracy': accuracies[i] ?? 0, 'test/loss': 0.1 + i / 100 }));
const failing = [
  ...some,
  recorded(plan.runs[9] ?? expect.fail(), { 'train/loss': NaN }, 'diverged'),
  recorded(plan.runs[10] ?? expect.fail(), { 'train/loss': NaN }, 'diverged'),
];

test('configurations are ranked by the mean of the objective, with the paired difference to the best', () => {
  const comparison = compare(plan, failing);
  expect(comparison).toMatchObject({
    axes: ['model.hiddenSize', 'optimizer.learningRate'],
    seeds: [1, 2, 3],
    counts: { done: 9, failed: 2, new: 1, running: 0, interrupted: 0 },
  });
  expect(
    comparison.configurations.map((one) => [one.rank, one.best, one.tied, Object.values(one.values)]),
  ).toEqual([
    [1, true, false, [128, 0.001]],
    [2, false, true, [64, 0.001]],
    [3, false, false, [64, 0.01]],
    [null, false, false, [128, 0.01]],
  ]);
  expect(comparison.configurations[1]?.difference).toMatchObject({ kind: 'paired', count: 3 });
  expect(comparison.configurations[1]?.difference?.mean).toBeCloseTo(-0.014 / 3, 12);
  expect(comparison.configurations[1]?.metrics['test/loss']?.mean).toBeCloseTo(0.11, 12);
  expect(comparison.configurations[3]?.runs.map((run) => [run.seed, run.state, run.reason])).toEqual([
    [1, 'failed', 'It ended: diverged.'],
    [2, 'failed', 'It ended: diverged.'],
    [3, 'new', ''],
  ]);
});

test('the lowest is best where the goal is to minimize', () => {
  const { configurations } = compare(plan, some, { objective: { metric: 'test/loss', goal: 'minimize' } });
  expect(configurations.map((one) => one.objective?.mean.toFixed(2))).toEqual([
    '0.11',
    '0.14',
    '0.17',
    undefined,
  ]);
});

test('the table with several seeds', () => {
  expect(renderComparison(compare(plan, failing), { width: 100, colour: false })).toMatchInlineSnapshot(`
    "mnist-rows: 4 configurations, 3 seeds; 9 done, 2 failed, 1 new

      #  hiddenSize  learningRate  test/accuracy   ± std      95% interval  seeds  steps  time  best run
    ★ 1         128         0.001         0.9577  0.0025  [0.9510, 0.9635]    3/3    100  4.0s  e623c86d
    ≈ 2          64         0.001         0.9530  0.0036  [0.9432, 0.9612]    3/3    100  4.0s  380f6014
      3          64          0.01         0.9103  0.0015  [0.9065, 0.9141]    3/3    100  4.0s  955228ac
      –         128          0.01         failed                              0/3    100  4.0s  1ead730b
    Too narrow for to best, test/loss: widen the terminal.

    ★ best: highest test/accuracy
    ≈ tied with the best: not separated at the 5% level (2 comparisons, Holm)
    About 11 seeds would separate the first two, with a chance of 80%.

    failed 1ead730b  hiddenSize 128, learningRate 0.01, seeds 1 2
      It ended: diverged."
  `);
});

test('the table with one seed has no spread, and shows runs', () => {
  const single = makePlan({ axes: { 'model.name': ['gru', 'lstm'] } });
  const runs = single.runs.map((run, i) => recorded(run, { 'test/accuracy': 0.9 + i / 100 }));
  expect(renderComparison(compare(single, runs), { width: 80, colour: false })).toMatchInlineSnapshot(`
    "mnist-rows: 2 configurations, 1 seed; 2 done

      #  model  test/accuracy  steps  time  run
    ★ 1  lstm          0.9100    100  4.0s  e623c86d
      2  gru           0.9000    100  4.0s  82c7efca

    ★ best: highest test/accuracy
    A single seed is too few to tell whether the best is better."
  `);
});

test('every line fits 80 columns, apart from reasons', () => {
  const text = renderComparison(compare(plan, failing), { width: 80, colour: false });
  for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
});

test('80 columns keep the seeds and the run, and name what is left out', () => {
  const lines = renderComparison(compare(plan, failing), { width: 80, colour: false }).split('\n');
  expect(lines[2]).toMatch(/seeds +best run$/);
  const note = lines.findIndex((line) => line.startsWith('Too narrow for'));
  expect(lines.slice(note, note + 2).join(' ')).toBe(
    'Too narrow for 95% interval, to best, test/loss, steps, time: widen the terminal.',
  );
});

test('a width without limit, as of a pipe, leaves nothing out', () => {
  const text = renderComparison(compare(plan, failing), { width: Infinity, colour: false });
  expect(text).not.toContain('Too narrow');
  for (const title of ['95% interval', 'to best', 'test/loss', 'best run']) expect(text).toContain(title);
});

test('a small loss keeps four significant digits, and small differences two', () => {
  const losses = [0.00051234, 0.00052, 0.00053, 1.25, 1.5, 1.75, 0.00004, 0.00004, 0.00004];
  const runs = plan.runs.slice(0, 9).map((run, i) => recorded(run, { 'test/loss': losses[i] ?? 0 }));
  const objective = { metric: 'test/loss', goal: 'minimize' } as const;
  const text = renderComparison(compare(plan, runs, { objective }), { width: 120, colour: false });
  expect(text).toContain(' 4.000e-5 ');
  expect(text).toContain(' 0.0005208 ');
  expect(text).toContain(' 1.500000 ');
});

test('colour comes only when allowed', () => {
  const comparison = compare(plan, failing);
  expect(renderComparison(comparison, { width: 80, colour: false })).not.toContain('\u001b');
  expect(forTerminal(renderComparison(comparison, { width: 80, colour: true }), true)).toContain(
    '\u001b[32m',
  );
});

test('a done run without the objective says which metrics it has', () => {
  const [run = expect.fail()] = plan.runs;
  const { configurations } = compareRuns([recorded(run, { 'test/loss': 1 })], { objective: plan.objective });
  expect(configurations[0]?.runs[0]?.reason).toBe('It has no test/accuracy; its metrics are test/loss.');
  const infinite = compareRuns([recorded(run, { 'test/accuracy': NaN })], { objective: plan.objective });
  expect(infinite.configurations[0]).toMatchObject({ rank: null, objective: null });
  expect(infinite.configurations[0]?.runs[0]?.reason).toBe('Its test/accuracy is not a finite number.');
});

test('grouping by a setting pairs runs that agree in everything else', () => {
  const { configurations } = compare(plan, some, { groupBy: ['optimizer.learningRate'] });
  expect(configurations.map((one) => [one.values, one.objective?.count])).toEqual([
    [{ 'optimizer.learningRate': 0.001 }, 6],
    [{ 'optimizer.learningRate': 0.01 }, 3],
  ]);
  expect(configurations[1]?.difference).toMatchObject({ kind: 'paired', count: 3 });
  expect(configurations[1]?.difference?.mean).toBeCloseTo(
    (0.91 + 0.912 + 0.909 - 0.95 - 0.952 - 0.957) / 3,
    12,
  );
});

test('settings that only some models have are columns only where they vary', () => {
  const mixed = plan.runs.slice(0, 2).map((run, i): Run => {
    const config = { ...run.config, model: i === 0 ? { name: 'gru' } : { name: 'lstm', forgetBias: 1 } };
    return { ...run, cell: `cell${i}`, config };
  });
  const { axes, configurations } = compareRuns(
    mixed.map((run, i) => recorded(run, { 'test/accuracy': i })),
    { objective: plan.objective },
  );
  expect(axes).toEqual(['model.name']);
  expect(configurations.map((one) => one.values)).toEqual([
    { 'model.name': 'lstm' },
    { 'model.name': 'gru' },
  ]);
});

test('CSV is one row a run, quoted where it must be', () => {
  const [run = expect.fail()] = plan.runs;
  const odd = recorded(run, {}, 'failed');
  const csv = comparisonToCsv(
    compareRuns(
      [{ ...odd, reason: 'said "no",\nand left' }, recorded(plan.runs[3] ?? run, { 'test/accuracy': 0.5 })],
      {
        objective: plan.objective,
      },
    ),
  );
  expect(csv).toBe(
    'rank,best,tied,optimizer.learningRate,seed,test/accuracy,state,reason,steps,seconds,run,' +
      'mean,standardDeviation,intervalLow,intervalHigh,difference,differenceLow,differenceHigh,differenceKind,verdict,correctedPValue\r\n' +
      `1,true,false,0.01,1,0.5,done,,100,4,${plan.runs[3]?.id},0.5,,,,,,,,,\r\n` +
      `,false,false,0.001,1,,failed,"said ""no"",\nand left",100,4,${run.id},,,,,,,,,,\r\n`,
  );
});

test('a Parquet file holds the rows of the CSV with their types', async () => {
  const comparison = compareRuns(
    plan.runs.map((run, i) => recorded(run, { 'test/accuracy': 0.5 + i / 8 })),
    { objective: plan.objective },
  );
  const { columns, rows } = comparisonRows(comparison);
  const file = Uint8Array.from(comparisonToParquet(comparison)).buffer;
  const back = await parquetReadObjects({ file });
  expect(back).toEqual(
    rows.map((row) => Object.fromEntries(columns.map((name, i) => [name, row[i] ?? null]))),
  );
});

test('nothing recorded is said, not drawn', () => {
  expect(renderComparison(compareRuns([], { objective: plan.objective }), { width: 80, colour: false })).toBe(
    'Nothing to compare yet.',
  );
});

/** A plan over datasets, in which scores of one dataset cannot be compared with those of another. */
const twoDatasets = makePlan({ axes: { 'model.hiddenSize': [8, 16] }, seeds: [1, 2, 3] });
const overDatasets: Plan = {
  ...twoDatasets,
  runs: ['adding-problem', 'copy-memory'].flatMap((name) =>
    twoDatasets.runs.map((run): Run => ({
      ...run,
      id: `${name}-${run.id}`,
      cell: `${name}-${run.cell}`,
      config: { ...run.config, dataset: { name, length: 10 } },
    })),
  ),
};

test('scores of different datasets are ranked apart, each with its own best', () => {
  const runs = overDatasets.runs.map((run, i) => recorded(run, { 'test/accuracy': 0.5 + i / 100 }));
  const comparison = compare(overDatasets, runs);
  expect(comparison.groups.map(({ values }) => values)).toEqual([
    { 'dataset.name': 'adding-problem' },
    { 'dataset.name': 'copy-memory' },
  ]);
  expect(comparison.configurations.map(({ group, rank, best }) => [group, rank, best])).toEqual([
    [0, 1, true],
    [0, 2, false],
    [1, 1, true],
    [1, 2, false],
  ]);
  const text = renderComparison(comparison, { width: 100, colour: false });
  expect(text).toContain('dataset copy-memory, by test/accuracy');
  expect(text).toContain('Scores in different tables cannot be compared, so each has its own best.');
});

test.each([
  ['targets', [['price'], ['demand']], 2],
  ['task', ['classification', 'regression'], 2],
  [
    'classes',
    [
      [0, 1],
      [0, 1, 2],
    ],
    2,
  ],
  ['horizon', [1, 5], 2],
  ['testFile', ['new.csv', 'old.csv'], 1],
  ['trainSize', [100, 1000], 1],
  ['features', [['a'], ['a', 'b']], 1],
  ['standardize', [true, false], 1],
] as const)('configurations that differ in dataset.%s', (setting, values, groups) => {
  const runs = twoDatasets.runs.map((run, i): Run => {
    const dataset = { name: 'csv-sequences', file: 'a.csv', [setting]: values[i < 3 ? 0 : 1] };
    return { ...run, config: { ...run.config, dataset } };
  });
  const comparison = compareRuns(
    runs.map((run, i) => recorded(run, { 'test/accuracy': i / 10 })),
    { objective: plan.objective },
  );
  expect(comparison.groups).toHaveLength(groups);
});

test('generated data of another length, noise or alphabet is another question', () => {
  const groupsOf = (setting: string, values: readonly unknown[]) =>
    compareRuns(
      twoDatasets.runs.map((run, i) => {
        const dataset = { name: 'copy-memory', [setting]: values[i < 3 ? 0 : 1] };
        const config = { ...run.config, dataset } as Run['config'];
        return recorded({ ...run, config }, { 'test/accuracy': i / 10 });
      }),
      { objective: plan.objective },
    );
  for (const [setting, values] of [
    ['length', [10, 100]],
    ['delay', [5, 50]],
    ['symbols', [2, 8]],
  ] as const) {
    const comparison = groupsOf(setting, values);
    expect(comparison.configurations.filter(({ best }) => best)).toHaveLength(2);
    const { columns, rows } = comparisonRows(comparison);
    const group = columns.indexOf('group');
    expect(new Set(rows.map((row) => row[group]))).toEqual(new Set([1, 2]));
  }
});

test('the share of the most frequent class is beside the result', () => {
  const directory = temporaryDirectory('majority');
  const part = (share: number) => ({ sequences: 10, majority: { label: 'no rain', share } });
  const data = {
    inputs: { kind: 'values', features: 1 },
    target: { kind: 'classes', each: 'sequence', classes: 2 },
    parts: { train: part(0.6), validation: part(0.7), test: part(0.75) },
  };
  writeFileSync(join(directory, 'data.json'), JSON.stringify(data));
  const of = (metric: string) =>
    compareRuns(
      twoDatasets.runs.map((run, i) => ({ ...recorded(run, { [metric]: i / 10 }), directory })),
      { objective: { metric, goal: 'maximize' } },
    );
  const comparison = of('test/accuracy');
  const majority = { part: 'test', label: 'no rain', share: 0.75 };
  expect(comparison.groups).toMatchObject([{ majority }]);
  expect(renderComparison(comparison, { width: 120, colour: false })).toContain(
    'baseline: always answering "no rain" has accuracy 0.7500 on the test part',
  );
  expect(comparisonToCsv(comparison).split('\r\n')[1]).toMatch(/,no rain,0\.75$/);
  expect(of('val/macroF1').groups).toMatchObject([{ majority: { part: 'validation', share: 0.7 } }]);
  expect(compare(plan, failing).groups).toMatchObject([{ majority: null }]);
});

test('another file is other data, and the same data under another name is not', () => {
  const groupsOf = (digests: readonly string[]) =>
    compareRuns(
      twoDatasets.runs.map((run, i) => {
        const file = i < 3 ? 'a.csv' : 'moved/b.csv';
        const datasetDigest = digests[i < 3 ? 0 : 1] ?? '';
        const config = { ...run.config, dataset: { name: 'csv-sequences', file } };
        return recorded({ ...run, datasetDigest, config }, { 'test/accuracy': i / 10 });
      }),
      { objective: plan.objective },
    ).groups;
  expect(groupsOf(['a'.repeat(64), 'a'.repeat(64)])).toHaveLength(1);
  expect(groupsOf(['a'.repeat(64), 'b'.repeat(64)]).map(({ values }) => values)).toEqual([
    { datasetDigest: 'aaaaaaaaaaaa' },
    { datasetDigest: 'bbbbbbbbbbbb' },
  ]);
});

test('with two seeds no rank is called tied, and the table says that seeds are missing', () => {
  const two = makePlan({ axes: { 'model.hiddenSize': [1, 2, 3, 4] }, seeds: [1, 2] });
  // Rank 3 is nearly the same distance behind with both seeds, rank 4 is not.
  const values = [0.97, 0.95, 0.93, 0.951, 0.9201, 0.9002, 0.95, 0.86];
  const runs = two.runs.map((run, i) => recorded(run, { 'test/accuracy': values[i] ?? 0 }));
  const comparison = compare(two, runs);
  expect(comparison.configurations.map(({ tied }) => tied)).toEqual([false, false, false, false]);
  expect(comparison.configurations.map(({ verdict }) => verdict)).toEqual([
    null,
    'unclear',
    'separated',
    'unclear',
  ]);
  const text = renderComparison(comparison, { width: 100, colour: false });
  expect(text).toContain('? too few seeds to tell whether the best is better');
  expect(text).toMatch(/About \d+ seeds would separate the first two/);
});

/** The plan of a sweep, each of whose runs leaves out of its configuration what is as by default. */
const withoutDefaults = (axes: Record<string, readonly Json[]>, defaults: Record<string, Json>): Plan => {
  const given = makePlan({
    axes: Object.fromEntries(Object.entries(axes).map(([path, values]) => [path, [...values]])),
  });
  const runs = given.runs.map((run) => {
    const train = Object.entries(run.config.train).filter(
      ([key, value]) => defaults[`train.${key}`] !== value,
    );
    return { ...run, config: { ...run.config, train: Object.fromEntries(train) } } as Run;
  });
  return { ...given, runs };
};

test('a setting that the sweep varies has a column, also where a configuration leaves out its default', () => {
  const swept = withoutDefaults(
    { 'train.accumulate': [1, 2], 'train.ema': [null, 0.9] },
    { 'train.accumulate': 1, 'train.ema': null },
  );
  const runs = swept.runs.map((run, i) => recorded(run, { 'test/accuracy': i / 10 }));
  const comparison = compare(swept, runs);
  expect(comparison.axes).toEqual(['train.accumulate', 'train.ema']);
  expect(comparison.configurations.map(({ values }) => values)).toEqual([
    { 'train.accumulate': 2, 'train.ema': 0.9 },
    { 'train.accumulate': 2, 'train.ema': null },
    { 'train.accumulate': 1, 'train.ema': 0.9 },
    { 'train.accumulate': 1, 'train.ema': null },
  ]);
});

test('a mapping beside null has a column for what is written in it', () => {
  const steps = { 'train.truncation': { steps: 5, style: 'chunked' }, 'train.truncation.steps': 5 };
  const base = makePlan({ axes: { 'train.truncation': [null, steps['train.truncation']] } });
  const runs = base.runs.map((run, at) => ({
    ...run,
    varying: at === 0 ? { 'train.truncation': null } : steps,
  }));
  const comparison = compare(
    { ...base, runs },
    runs.map((run, i) => recorded(run, { 'test/accuracy': i })),
  );
  expect(comparison.axes).toEqual(['train.truncation.steps']);
  expect(comparison.configurations.map(({ values }) => values)).toEqual([
    { 'train.truncation.steps': 5 },
    {},
  ]);
});

test('runs of two sweeps differ in what only one of them sets', () => {
  const [first] = makePlan().runs;
  const [second] = makePlan({ axes: { 'train.accumulate': [2] } }).runs;
  if (!first || !second) throw new Error('no runs');
  const both = [first, { ...second, varying: {} }];
  const comparison = compareRuns(
    both.map((run, i) => recorded(run, { 'test/accuracy': i })),
    { objective: plan.objective },
  );
  expect(comparison.axes).toEqual(['train.accumulate']);
  expect(comparison.configurations.map(({ values }) => values['train.accumulate'])).toEqual([2, undefined]);
});

test('the share of the most frequent class is that of all folds and splits', () => {
  const shares = [0.5, 0.6, 0.7];
  const runs = shares.map((share, at) => {
    const directory = temporaryDirectory('majority');
    const label = share > 0.65 ? 'rain' : 'no rain';
    const data = {
      inputs: { kind: 'values', features: 1 },
      target: { kind: 'classes', each: 'sequence', classes: 2 },
      parts: { test: { sequences: 10, majority: { label, share } } },
    };
    writeFileSync(join(directory, 'data.json'), JSON.stringify(data));
    const [run] = makePlan({ axes: { 'dataset.splitSeed': [at] } }).runs;
    if (!run) throw new Error('no run');
    return { ...recorded(run, { 'test/accuracy': at / 10 }), directory };
  });
  const of = (some: typeof runs) => compareRuns(some, { objective: plan.objective });
  expect(of(runs.slice(0, 2)).groups).toMatchObject([
    { majority: { part: 'test', label: 'no rain', share: 0.55, range: [0.5, 0.6] } },
  ]);
  const all = of(runs);
  expect(all.groups).toMatchObject([{ majority: { label: null, range: [0.5, 0.7] } }]);
  expect(renderComparison(all, { width: 120, colour: false })).toContain(
    'baseline: always answering the most frequent class has accuracy 0.5000 to 0.7000, mean 0.6000, on the test parts',
  );
});

test('runs can be grouped by the fold of their data', () => {
  const [one, other] = makePlan({ axes: { 'model.hiddenSize': [4, 8] } }).runs;
  if (!one || !other) throw new Error('no runs');
  const runs = [one, other].flatMap((run) =>
    [1, 2].map((fold) => ({
      ...run,
      id: `${run.id}${fold}`,
      config: { ...run.config, dataset: { ...run.config.dataset, folds: 2, fold } },
      varying: { ...run.varying, fold },
    })),
  );
  const comparison = compareRuns(
    runs.map((run, at) => recorded(run, { 'test/accuracy': [0.1, 0.6, 0.3, 0.8][at] ?? NaN })),
    { objective: plan.objective, groupBy: ['dataset.fold'] },
  );
  expect(comparison.configurations.map(({ values, objective }) => [values, objective?.mean])).toEqual([
    [{ 'dataset.fold': 2 }, 0.7],
    [{ 'dataset.fold': 1 }, 0.2],
  ]);
});

test('metrics that count by weights cannot be compared with others', () => {
  const { runs } = makePlan({ axes: { 'dataset.weight': [null, 'w'] } });
  const comparison = compareRuns(
    runs.map((run, i) => recorded(run, { 'test/accuracy': i / 10 })),
    { objective: plan.objective },
  );
  expect(comparison.groups.map(({ values }) => values)).toEqual([
    { 'dataset.weight': null },
    { 'dataset.weight': 'w' },
  ]);
});

test('runs can be grouped by their seed', () => {
  const comparison = compare(plan, some, { groupBy: ['seed'] });
  expect(comparison.configurations.map(({ values, runs }) => [values['seed'], runs.length])).toEqual([
    [3, 4],
    [1, 4],
    [2, 4],
  ]);
});
