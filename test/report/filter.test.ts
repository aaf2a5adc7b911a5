import { expect, test } from 'vitest';
import { filterRuns } from '../../src/report/filter.ts';
import { listRuns } from '../../src/record/read-runs.ts';
import { makePlan, writeSweep } from '../support/run-directories.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const plan = makePlan({
  axes: { 'model.name': ['gru', 'lstm'], 'optimizer.learningRate': [0.001, 0.01] },
  seeds: [1, 2],
});

const found = (...written: string[]) => {
  const runs = temporaryDirectory();
  writeSweep(runs, plan, (_run, index) => (index === 0 ? { state: 'diverged', step: 50 } : {}));
  const result = filterRuns(listRuns(runs).runs, written);
  return result.ok
    ? result.value.map(({ run }) => plan.runs.findIndex((one) => one.id === run.id)).sort()
    : result.errors.map(({ message, expected, got, nearest }) => [message, expected, got ?? nearest]);
};

test.each([
  [[], [0, 1, 2, 3, 4, 5, 6, 7]],
  [['model.name=gru'], [0, 1, 2, 3]],
  [['optimizer.learningRate=1e-3'], [0, 1, 4, 5]],
  [
    ['learningRate>0.001', 'seed=2'],
    [3, 7],
  ],
  [
    ['learningRate<=0.001', 'model.name!=gru'],
    [4, 5],
  ],
  [['state=failed'], [0]],
  [
    ['state!=failed', 'seed = 1'],
    [2, 4, 6],
  ],
  [
    ['seed=1,2', 'model.name=gru, lstm', 'learningRate>=0.01'],
    [2, 3, 6, 7],
  ],
  [['learningRate<0'], []],
])('%j', (written, expected) => {
  expect(found(...written)).toEqual(expected);
});

test('every mistake is said, with what was meant', () => {
  expect(found('learnignRate=1', 'name=gru', 'gru', 'learningRate<fast', 'state=faild')).toEqual([
    ['No run has the setting "learnignRate".', 'the path of a setting, `seed` or `state`', 'learningRate'],
    ['Several settings are called "name".', 'one of dataset.name, model.name, optimizer.name', undefined],
    [
      'The filter "gru" compares nothing.',
      'a setting, one of != >= <= = > <, and a value, such as model.hiddenSize=128',
      undefined,
    ],
    ['The filter "learningRate<fast" compares with something that is not a number.', 'one number', '"fast"'],
    [
      'No run is ever in the state "faild".',
      'one of done, running, pruned, failed, interrupted, stale, new',
      'failed',
    ],
  ]);
});
