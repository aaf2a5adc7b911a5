import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { decode } from 'fast-png';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { cleanKey, keyProblem, limits } from '../../../src/mlflow/client/limits.ts';
import { evaluationImages } from '../../../src/mlflow/projection/images.ts';
import { compareLink } from '../../../src/mlflow/projection/link.ts';
import { mlmodelFiles } from '../../../src/mlflow/projection/mlmodel.ts';
import {
  configurationColour,
  mlflowRunName,
  shortNumber,
  shortPoint,
} from '../../../src/mlflow/projection/names.ts';
import { sweepNote } from '../../../src/mlflow/projection/notes.ts';
import { bestParams, runParams } from '../../../src/mlflow/projection/params.ts';
import { savedView } from '../../../src/mlflow/projection/saved-view.ts';
import { modelSignature } from '../../../src/mlflow/projection/signature.ts';
import { runStatus } from '../../../src/mlflow/projection/status.ts';
import { resultsCsv, sweepMetrics, sweepResults } from '../../../src/mlflow/projection/sweep-results.ts';
import { evaluationTables } from '../../../src/mlflow/projection/tables.ts';
import { runTags } from '../../../src/mlflow/projection/tags.ts';
import { fileNames, modelFileNames, type EvaluationFile } from '../../../src/record/run-files.ts';
import { writeModelFolder } from '../../support/model-folder.ts';
import { makePlan, writeRunDirectory, writeSweep } from '../../support/run-directories.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { trackedRun } from '../../support/mlflow/tracked-run.ts';

const recordsOf = (plan: ReturnType<typeof makePlan>, directories: readonly string[]) =>
  new Map(plan.runs.map(({ id }, index) => [id, trackedRun(directories[index] ?? '')] as const));

describe('names', () => {
  test('say what varies, the first axis first, in few characters', () => {
    const plan = makePlan({
      axes: { 'optimizer.learningRate': [0.001], 'model.hiddenSize': [128] },
      seeds: [1, 2],
    });
    expect(plan.runs.map((run) => mlflowRunName(run, plan.axes))).toEqual([
      'lr1e-3 hs128 s1',
      'lr1e-3 hs128 s2',
    ]);
    const single = makePlan().runs[0];
    expect(single && mlflowRunName(single, [])).toBe('lstm s1');
    expect([
      shortPoint('model.name', 'gru'),
      shortPoint('model.layers', 2),
      shortPoint('model.bidirectional', false),
      shortPoint('model.merge', 'concat'),
      shortPoint('optimizer', { name: 'adam', learningRate: 1 }),
    ]).toEqual(['gru', 'layers2', 'no bidirectional', 'merge concat', 'adam']);
    expect([0.001, 0.01, 128, 0.5, 1e-5, 1_000_000, 0.0031622776].map(shortNumber)).toEqual([
      '1e-3',
      '1e-2',
      '128',
      '0.5',
      '1e-5',
      '1e6',
      '3.162e-3',
    ]);
  });

  test('colours are distinct and well-formed', () => {
    const colours = Array.from({ length: 36 }, (_, index) => configurationColour(index));
    expect(new Set(colours).size).toBe(36);
    expect(colours.every((colour) => /^#[0-9a-f]{6}$/.test(colour))).toBe(true);
  });

  test('any key is cleaned into one that the server takes', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, maxLength: 60, unit: 'binary' }), (key) => {
        expect(keyProblem(cleanKey(key))).toBeUndefined();
      }),
      { numRuns: 40 },
    );
    expect(keyProblem(cleanKey('é/'.repeat(300)))).toBeUndefined();
    expect(cleanKey('validation/top 5-accuracy_1.0')).toBe('validation/top 5-accuracy_1.0');
  });
});

test('parameters are the flat leaves of the configuration, those that vary first', () => {
  const plan = makePlan({ axes: { 'optimizer.learningRate': [0.001, 1e-7] } });
  const params = plan.runs[1] ? runParams(plan.runs[1]) : [];
  expect(params[0]).toEqual({ key: 'optimizer.learningRate', value: '1e-7' });
  const keys = params.map(({ key }) => key);
  expect(keys).toContain('seed');
  expect(keys).not.toContain('train.epochs');
  expect(new Set(keys).size).toBe(keys.length);
});

test('what varies is a parameter also where the configuration leaves it out as its default', () => {
  const [run] = makePlan().runs;
  if (!run) throw new Error('no run');
  const varying = { 'loss.name': 'mse', 'train.ema': null, fold: 1 };
  const params = runParams({ ...run, varying });
  expect(params[0]).toEqual({ key: 'loss.name', value: 'mse' });
  const keys = params.map(({ key }) => key);
  expect(keys).not.toContain('train.ema');
  expect(keys).not.toContain('fold');
});

test('status: every reason has one, and a lost run is killed', () => {
  const directory = temporaryDirectory();
  const statusOf = (state: NonNullable<Parameters<typeof writeRunDirectory>[2]>['state']) => {
    const run = makePlan({ experiment: `s-${state ?? ''}` }).runs[0];
    if (!run || !state) throw new Error('no run');
    return runStatus(trackedRun(writeRunDirectory(directory, run, { state }))).status;
  };
  expect(
    (
      [
        'completed',
        'diverged',
        'failed',
        'crashed',
        'out-of-memory',
        'timed-out',
        'interrupted',
        'killed',
      ] as const
    ).map(statusOf),
  ).toEqual(['FINISHED', 'FAILED', 'FAILED', 'FAILED', 'FAILED', 'FAILED', 'KILLED', 'KILLED']);
  expect(statusOf('new')).toBe('SCHEDULED');
});

describe('a sweep', () => {
  const directory = temporaryDirectoryOnce();
  const plan = makePlan({
    axes: { 'model.hiddenSize': [8, 16, 32] },
    objective: { metric: 'test/loss', goal: 'minimize' },
  });
  const directories = writeSweep(directory, plan, (_, index) => (index === 0 ? { state: 'failed' } : {}));
  const results = sweepResults(plan, recordsOf(plan, directories));

  test('has its runs ordered by the objective, failed ones last', () => {
    expect(results.rows.at(-1)?.reason).toBe('failed');
    expect(results.best[0]?.mean).toBe(
      Math.min(
        ...results.rows.flatMap(({ objective, reason }) => (reason === 'completed' ? [objective ?? 0] : [])),
      ),
    );
    expect(results).toMatchObject({ completed: 2, failed: 1, over: true });
    const csv = resultsCsv(plan, results).split('\r\n');
    expect(csv[0]).toBe('rank,run,model.hiddenSize,test/loss,outcome,steps,seconds');
    expect(csv).toHaveLength(5);
  });

  test('names the configuration with the best mean, and not that of the best run', () => {
    const seeds = makePlan({
      axes: { 'model.hiddenSize': [8, 16] },
      seeds: [1, 2],
      objective: { metric: 'test/loss', goal: 'minimize' },
    });
    const losses = [0.1, 0.9, 0.4, 0.2];
    const folder = temporaryDirectory('best-of-seeds');
    const records = [...recordsOf(seeds, writeSweep(folder, seeds)).values()].map((record, index) => {
      const { status } = record;
      if (!status?.outcome) throw new Error('no outcome');
      const outcome = { ...status.outcome, metrics: { 'test/loss': losses[index] ?? NaN } };
      return [record.run.id, { ...record, status: { ...status, outcome } }] as const;
    });
    const found = sweepResults(seeds, new Map(records));
    expect(found.best.map(({ run, mean, count }) => [run.id, mean, count])).toEqual([
      [seeds.runs[3]?.id, (0.4 + 0.2) / 2, 2],
    ]);
    expect(bestParams(found, seeds.axes)).toContainEqual({ key: 'best of 4.model.hiddenSize', value: '16' });
    expect(sweepNote(seeds, found, () => undefined)).toContain(
      'Best so far: **0.3** (mean of 2 runs) with `model.hiddenSize` = 16 (best: run ',
    );
  });

  test('names no winner over runs whose scores cannot be compared', () => {
    const mixed = {
      ...plan,
      runs: plan.runs.map((run, index) => ({
        ...run,
        config: { ...run.config, dataset: { name: index < 2 ? 'adding-problem' : 'copy-memory' } },
      })),
    };
    const apart = sweepResults(mixed, recordsOf(mixed, directories));
    expect(apart.groups).toBe(2);
    expect(apart.rows.map(({ group, rank }) => [group, rank])).toEqual([
      [0, 1],
      [0, 2],
      [1, 1],
    ]);
    expect(apart.best.map(({ run }) => run.id)).toEqual([plan.runs[1]?.id, plan.runs[2]?.id]);
    expect(sweepNote(mixed, apart, () => undefined)).toMatch(/Best so far of each group: \*\*[^;]*; \*\*/);
    const keys = sweepMetrics(mixed, apart).map(({ key }) => key);
    expect(keys).toEqual(['sweep/completedRuns', 'sweep/failedRuns', 'sweep/trainingSeconds']);
    expect(resultsCsv(mixed, apart)).toMatch(/^group,rank,run,/);
  });

  test('logs its numbers apart from those of its runs', () => {
    const keys = sweepMetrics(plan, results).map(({ key }) => key);
    expect(keys).toContain('sweep/bestTestLoss');
    expect(keys.every((key) => key.startsWith('sweep/'))).toBe(true);
  });

  test('has a description that fits, however long the spec and the table are', () => {
    const long = { ...plan, spec: { ...plan.spec, text: 'a: `x`\n'.repeat(3000) } };
    expect(sweepNote(long, results, () => undefined).length).toBeLessThanOrEqual(limits.tagLength);
    expect(sweepNote(plan, results, () => undefined)).toContain('```yaml');
  });

  test('has a view of parallel coordinates, bars, curves, scatter and images', () => {
    const view = savedView(plan, {
      metricKeys: new Set(['train/loss']),
      images: ['confusion', 'mistakes'],
      parentRunId: 'p',
      createdAt: 5,
    });
    const { state, createdAt } = JSON.parse(view.tag.value) as { state: string; createdAt: number };
    const { compareRunCharts, searchFilter, orderByAsc } = JSON.parse(state) as {
      compareRunCharts: { type: string; deleted: boolean }[];
      searchFilter: string;
      orderByAsc: boolean;
    };
    const shown = compareRunCharts.filter(({ deleted }) => !deleted);
    expect(shown.map(({ type }) => type)).toEqual(['PARALLEL', 'BAR', 'LINE', 'SCATTER', 'IMAGE']);
    expect({ createdAt, searchFilter, orderByAsc }).toEqual({
      createdAt: 5,
      searchFilter: `tags."unroll.sweep.${plan.sweepId}" = 'p'`,
      orderByAsc: true,
    });
  });

  test('is shown by a link that brings either a view or a filter and an order', () => {
    const base = { uri: 'http://h/p', experimentId: '4', objective: plan.objective };
    expect(compareLink({ ...base, viewKey: 'k' })).toBe(
      'http://h/p/#/experiments/4/runs?workflowType=machine_learning&compareRunsMode=CHART&viewStateShareKey=k',
    );
    expect(compareLink(base)).toContain('orderByKey=metrics.%60test%2Floss%60&orderByAsc=true');
  });
});

function temporaryDirectoryOnce(): string {
  return join(
    import.meta.dirname,
    '..',
    '..',
    '..',
    '..',
    'node_modules',
    '.cache',
    `projection-${process.pid}`,
  );
}

const evaluation: EvaluationFile = {
  split: 'test',
  examples: 10,
  labels: ['a', 'b'],
  confusion: [
    [4, 1],
    [2, 3],
  ],
  predictions: [
    { index: 0, truth: 1, prediction: 1, probability: 0.9 },
    { index: 1, truth: 0, prediction: 1, probability: 0.6 },
  ],
  images: [
    {
      index: 1,
      truth: 0,
      prediction: 1,
      width: 2,
      height: 2,
      pixels: Buffer.from([0, 255, 128, 64]).toString('base64'),
    },
  ],
};

test('tables: examples by index, mistakes by place, precision, recall and F1 from the counts', () => {
  const tables = Object.fromEntries(
    evaluationTables(evaluation).map(({ path, table }) => [path, table.data] as const),
  );
  expect(tables).toEqual({
    'tables/predictions.json': [
      ['0: b', 'b', 0.9, 'yes'],
      ['1: a', 'b', 0.6, 'no'],
    ],
    'tables/mistakes.json': [[1, 1, 'a', 'b']],
    'tables/classes.json': [
      ['a', 5, 0.6667, 0.8, 0.7273],
      ['b', 5, 0.75, 0.6, 0.6667],
    ],
    'tables/confusion.json': [
      ['a', 4, 1],
      ['b', 2, 3],
    ],
  });
  expect(evaluationTables({ split: 'test', examples: 10 })).toEqual([]);
});

test('images have names that the grid understands and every run shares; dark is many', () => {
  const images = evaluationImages(evaluation, 12);
  expect(images.map(({ path }) => path.replace(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/, 'ID'))).toEqual([
    'images/confusion+step+0+timestamp+12+ID.png',
    'images/confusion+step+0+timestamp+12+ID+compressed.webp',
    'images/mistakes+step+0+timestamp+12+ID.png',
    'images/mistakes+step+0+timestamp+12+ID+compressed.webp',
  ]);
  const confusion = decode(images[0]?.bytes ?? Buffer.alloc(0));
  expect([confusion.width, confusion.data[0], confusion.data[confusion.width - 1]]).toEqual([240, 0, 145]);
  // One image of 2 by 2 with a border: 4 by 4 pixels, each enlarged 90 times.
  const mistakes = decode(images[2]?.bytes ?? Buffer.alloc(0));
  const at = (x: number, y: number) => mistakes.data[(y * 90 + 45) * mistakes.width + x * 90 + 45];
  expect([mistakes.width, at(0, 0), at(1, 1), at(2, 1), at(1, 2), at(2, 2)]).toEqual([
    360, 128, 0, 255, 128, 64,
  ]);
});

test('only what is sent is shown', () => {
  const run = makePlan({ experiment: 'shown' }).runs[0];
  if (!run) throw new Error('no run');
  const record = trackedRun(writeRunDirectory(temporaryDirectory(), run, {}));
  const keys = (groups: readonly string[]) =>
    runTags({ ...record, evaluation }, undefined, { tags: {}, artifactGroups: new Set(groups) }).map(
      ({ key }) => key,
    );
  expect(keys(['evaluation'])).toContain('mlflow.loggedArtifacts');
  expect(keys(['evaluation'])).not.toContain('mlflow.loggedImages');
  expect(keys(['images'])).toContain('mlflow.loggedImages');
  expect(keys(['log'])).not.toContain('mlflow.loggedArtifacts');
});

test('the tags of a run are those that the guide lists', () => {
  const plan = makePlan({ experiment: 'tagged', axes: { 'model.hiddenSize': [8, 16] } });
  const [directory = ''] = writeSweep(temporaryDirectory(), plan);
  const record = trackedRun(directory);
  const tags = runTags(
    {
      ...record,
      status: record.status && { ...record.status, attempt: 2 },
      run: { ...record.run, start: { file: 'first.safetensors', sha256: '0'.repeat(64) } },
    },
    { plan, parentRunId: 'p' },
    { tags: {}, artifactGroups: new Set() },
  );
  const ours = Object.fromEntries(
    tags.flatMap(({ key, value }) => (key.startsWith('unroll.') ? [[key, value]] : [])),
  );
  const guide = readFileSync('docs/guides/mlflow.md', 'utf8');
  const listed = /## Tags\n([\s\S]*?)\n## /.exec(guide)?.[1]?.split('The run of a sweep')[0];
  const documented = [...(listed ?? '').matchAll(/`(unroll\.[\w.]+)`/g)].map(([, key = '']) => key);
  expect(
    Object.keys(ours)
      .map((key) => key.replace(plan.sweepId, 'SWEEP'))
      .sort(),
  ).toEqual(documented.sort());
  expect(ours).toMatchObject({
    'unroll.environment': 'tensorflow 2.21.0, kernel block, 1 thread, Node v20.19.0, Example CPU @ 2.50GHz',
    'unroll.attempt': '2',
    [`unroll.sweep.${plan.sweepId}`]: 'p',
  });
  expect(ours['unroll.configuration']).toBe(plan.runs[0]?.cell);
});

test('the model file has a signature of tensors', () => {
  const shape = {
    steps: 28,
    input: { kind: 'values', features: 28 },
    task: { kind: 'classification', classes: 10 },
  } as const;
  expect(JSON.parse(modelSignature(shape).outputs)).toEqual([
    { type: 'tensor', name: 'outputs', 'tensor-spec': { dtype: 'float32', shape: [-1, 10] } },
  ]);
  expect(
    modelSignature({
      ...shape,
      input: { kind: 'tokens', vocabulary: 5 },
      task: { kind: 'next-step', classes: 5 },
    }),
  ).toMatchObject({
    inputs: expect.stringContaining('"int32","shape":[-1,28]') as string,
    outputs: expect.stringContaining('[-1,28,5]') as string,
  });
  const forecast = { kind: 'forecast', horizon: 4, targets: ['a', 'b'] } as const;
  expect(modelSignature({ ...shape, task: forecast, quantiles: 3 }).outputs).toContain('[-1,24]');
  const run = makePlan({ experiment: 'mlmodel' }).runs[0];
  if (!run) throw new Error('no run');
  const directory = writeRunDirectory(temporaryDirectory(), run, {});
  writeFileSync(join(directory, 'x'), '');
  const [file, ...others] = mlmodelFiles(trackedRun(directory), {
    runId: 'r',
    modelId: 'm',
    path: 'model',
  });
  expect(others).toEqual([]);
  const content = file?.content;
  const description = parse(content && 'bytes' in content ? content.bytes.toString() : '') as Record<
    string,
    unknown
  >;
  expect(description).toMatchObject({
    run_id: 'r',
    model_id: 'm',
    flavors: { unroll: { data: 'weights.safetensors' } },
  });
});

test('the model file names the columns of tensors, which have no names of their own', () => {
  const run = makePlan({ experiment: 'mlmodel' }).runs[0];
  if (!run) throw new Error('no run');
  const directory = writeRunDirectory(temporaryDirectory(), run, {});
  writeModelFolder(join(directory, fileNames.model), {
    model: {
      dataset: { name: 'toy-sequences' },
      model: { name: 'gru', parameters: {} },
      loss: { name: 'mse' },
      outputsPerTarget: 1,
      shape: {
        steps: 2,
        input: { kind: 'values', features: 1 },
        variableLength: false,
        task: { kind: 'regression', outputs: 4, targets: ['force', 'yes', '012', '='] },
      },
      preprocessing: { kind: 'none' },
    },
    weights: new Map([['map', { shape: [1], values: Float32Array.of(1) }]]),
  });
  writeFileSync(join(directory, fileNames.model, modelFileNames.onnx), 'is not read here');
  const [file] = mlmodelFiles(trackedRun(directory), { runId: 'r', modelId: 'm', path: 'model' });
  const content = file?.content;
  const text = content && 'bytes' in content ? content.bytes.toString() : '';
  expect(parse(text)).toMatchObject({
    metadata: { axes: { targets: ['force', 'yes', '012', '='] } },
    flavors: { onnx: { data: 'model.onnx' } },
  });
  // Python's YAML takes each of the last three for something else, or for nothing, where it has no quotes.
  expect(text).toMatch(/- "force"\n +- "yes"\n +- "012"\n +- "="\n/);
});
