import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { modelFileParser, type ModelFile } from '../../src/record/run-files.ts';
import { createRig } from '../support/rig.ts';

const sequences = ['id,t,x,weather,label'];
for (let one = 0; one < 30; one++)
  for (let step = 0; step < 3 + (one % 3); step++)
    sequences.push(
      `s${one},${step},${10 + ((one * 7 + step) % 5)},${['sun', 'rain', ''][(one + step) % 3]},${'ab'[one % 2]}`,
    );

const days = ['day,shop,value,region'];
for (const shop of ['north', 'south'])
  for (let day = 1; day <= 60; day++) days.push(`${day},${shop},${shop.length * 10 + (day % 7)},${shop[0]}`);

const spec = (name: string, dataset: string, model: string, more = '') => `
version: 1
name: ${name}
dataset: ${dataset}
model: ${model}
optimizer: { name: adam, learningRate: 0.01 }
train: { batchSize: 16, steps: 10, displayEvery: 5 }
run: { concurrency: 1, threadsPerRun: 1 }
${more}`;

/** Trains a spec and returns the file of its first model. */
const modelOf = async (name: string, ...given: [dataset: string, model: string, more?: string]) => {
  const rig = createRig();
  writeFileSync(join(rig.directory, 'sequences.csv'), sequences.join('\n'));
  writeFileSync(join(rig.directory, 'days.csv'), days.join('\n'));
  rig.write('spec.yaml', spec(name, ...given));
  expect(await rig.unroll('run', 'spec.yaml', '--no-mlflow')).toMatchObject({ code: 0 });
  const [id = ''] = rig.runIds(name);
  const read = (file: string): unknown =>
    JSON.parse(readFileSync(rig.runPath(name, id, 'model', file), 'utf8'));
  const file = read('model.json') as ModelFile;
  expect(modelFileParser.firstWrong(file)).toBeUndefined();
  return { file, id, rig, read };
};

describe('model.json is complete by itself', () => {
  test('a table: columns, categories, scaled targets, resolved readout and the name of the run', async () => {
    const { file, id, rig } = await modelOf(
      'table',
      '{ name: csv-sequences, file: sequences.csv, sequence: id, order: t, targets: [label], categorical: [weather], missing: { weather: mask } }',
      '{ name: lstm, hiddenSize: 4, bidirectional: true }',
      'sweep: { axes: { optimizer.learningRate: [0.01], model.hiddenSize: [4, 5] } }',
    );
    expect(file.run).toMatchObject({ id, experiment: 'table', seed: 1 });
    expect(file.run.label).toMatch(/hiddenSize [45]/);
    expect(file.dataset).toMatchObject({ name: 'csv-sequences', sequence: 'id', categorical: ['weather'] });
    expect(file.dataset).not.toHaveProperty('file');
    expect(file.model).toMatchObject({
      name: 'lstm',
      parameters: { readout: 'last', inputDropout: 0, forgetBias: 1 },
    });
    expect(file.loss).toMatchObject({ name: 'cross-entropy' });
    expect(file.preprocessing).toMatchObject({ kind: 'table', features: ['x', 'weather'], targets: [] });
    if (file.preprocessing.kind !== 'table') throw new Error('not a table');
    const [x, weather] = file.preprocessing.inputs;
    expect(x).toMatchObject({ name: 'x', kind: 'number' });
    expect(weather).toEqual({ name: 'weather', kind: 'category', labels: ['rain', 'sun'] });
    const { outcome } = rig.status('table', id);
    expect(file.metrics['test/accuracy']).toBe(outcome?.metrics['test/accuracy']);
    expect(Object.keys(rig.status('table', id).files ?? {})).toContain('model/model.json');
  });

  test('series: scales by series, words of static columns, ends of the parts', async () => {
    const { file } = await modelOf(
      'series',
      '{ name: csv-series, file: days.csv, time: day, series: shop, targets: [value], static: [region], window: 7, horizon: 2 }',
      '{ name: gru, hiddenSize: 4 }',
    );
    const { preprocessing } = file;
    if (preprocessing.kind !== 'series') throw new Error('not series');
    expect(preprocessing.series.map(({ name }) => name)).toEqual(['north', 'south']);
    expect(preprocessing.series[0]?.mean[0]).toBeCloseTo(53, 0);
    expect(preprocessing.statics).toEqual([{ name: 'region', kind: 'words', words: ['n', 's'] }]);
    expect(preprocessing.step).toEqual({ kind: 'fixed', length: 1 });
    expect(preprocessing.ends).toEqual([43, 52, null]);
    expect(preprocessing.season).toBe(7);
    expect(preprocessing.scaledTargets).toBe(true);
  });

  test('a regression whose loss needs targets in their own unit has no scaled ones, and keeps all else', async () => {
    const { file } = await modelOf(
      'counts',
      '{ name: csv-sequences, file: sequences.csv, sequence: id, features: [t], targets: [x], task: regression, perStep: true }',
      '{ name: simple-rnn, hiddenSize: 4 }',
      'loss: { name: poisson }',
    );
    expect(file.preprocessing).toMatchObject({ kind: 'table', features: ['t'], targets: [] });
    expect(file.model.parameters['readout']).toBe('every-step');
  });
});
