import { expect, test } from 'vitest';
import type { RunConfig } from '../../src/language/config.ts';
import type { Run } from '../../src/plan/plan.ts';
import { filterRuns, settingPaths } from '../../src/report/filter.ts';
import { listRuns } from '../../src/record/read-runs.ts';
import { makePlan, writeSweep } from '../support/run-directories.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const plan = makePlan({
  axes: { 'model.name': ['gru', 'lstm'], 'optimizer.learningRate': [0.001, 0.01] },
  seeds: [1, 2],
});

const source = { name: 'command line', text: '' };

const filtered = (...written: string[]) => {
  const runs = temporaryDirectory();
  writeSweep(runs, plan, (_run, index) => (index === 0 ? { state: 'diverged', step: 50 } : {}));
  const at = (text: string) => ({ source, start: 0, end: text.length });
  return filterRuns(listRuns(runs).runs, written, { option: '--only', at });
};

const found = (...written: string[]) => {
  const result = filtered(...written);
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
  [['model.name==gru'], [0, 1, 2, 3]],
  [["model.name='gru'"], [0, 1, 2, 3]],
  [
    ['model.name == "gru"', 'seed==[2]'],
    [1, 3],
  ],
  [
    ['seed=[1, 2]', 'learningRate!=1e-3'],
    [2, 3, 6, 7],
  ],
  [['state=stale'], []],
])('%j', (written, expected) => {
  expect(found(...written)).toEqual(expected);
});

test('a setting that is a list is compared as a whole', () => {
  const lists = [[8, 4], [8]].map((value) => ({
    state: 'done' as const,
    run: { ...(plan.runs[0] ?? expect.fail()), config: { model: { sizes: value } } as unknown as RunConfig },
  }));
  const positions = (written: string) => {
    const result = filterRuns(lists, [written]);
    return result.ok && result.value.map((one) => lists.indexOf(one));
  };
  expect(positions('sizes=[8,4]')).toEqual([0]);
  expect(positions('sizes=[8],[8, 4]')).toEqual([0, 1]);
});

test('every mistake is reported, with what was meant', () => {
  expect(
    found('learnignRate=1', 'name=lstm-2', 'gru', 'learningRate<fast', 'state=faild', 'seed=7', 'seed=one'),
  ).toEqual([
    ['No run has a setting "learnignRate".', 'the path of a setting, `seed` or `state`', 'learningRate'],
    ['More than one setting is called "name".', 'one of dataset.name, model.name, optimizer.name', undefined],
    ['"gru" is not a condition.', 'a setting, one of = != >= <= > <, and a value, such as seed=1', undefined],
    ['< compares with one number.', 'one number', '"fast"'],
    ['There is no state "faild".', 'one of done, running, pruned, failed, interrupted, stale, new', 'failed'],
    ['No run has seed 7.', '1, 2', undefined],
    ['seed is a number.', '1, 2', '"one"'],
  ]);
});

/** The conditions that a help text proposes, as a shell would split them. */
const proposedIn = (help = ''): string[] =>
  [...help.matchAll(/--only (?:'([^']*)'|([^\s;]+?)(?=[.;,]?(?:\s|$)))/g)].map(
    ([, quoted, plain]) => quoted ?? plain ?? '',
  );

test.each([
  ['model.name: gru', [0, 1, 2, 3]],
  ['seed is 2', [1, 3, 5, 7]],
  ['seed in [1, 2]', [0, 1, 2, 3, 4, 5, 6, 7]],
  ['seed not in 1', [1, 3, 5, 7]],
  ['learningRate=>0.01', [2, 3, 6, 7]],
  ['learningRate=<1e-3', [0, 1, 4, 5]],
  ['seed<>1', [1, 3, 5, 7]],
  ['seed=1..2', [0, 1, 2, 3, 4, 5, 6, 7]],
  ['learningRate=1e-4 - 5e-3', [0, 1, 4, 5]],
  ['0.001<learningRate', [2, 3, 6, 7]],
  ['0.0001 < learningRate <= 0.001', [0, 1, 4, 5]],
  ['seed=1 and model.name=lstm', [4, 6]],
  ['seed=1 && state=done', [2, 4, 6]],
  ['seed=1,model.name=gru,lstm', [0, 2, 4, 6]],
  ['model=lstm', [4, 5, 6, 7]],
  ['name=lstm', [4, 5, 6, 7]],
  ['seed 2', [1, 3, 5, 7]],
  ['seed', [0, 1, 2, 3, 4, 5, 6, 7]],
  ['seed=1 or seed=2', [0, 1, 2, 3, 4, 5, 6, 7]],
])('the advice for %j works as it is printed', (written, expected) => {
  const wrong = filtered(written);
  expect(wrong.ok).toBe(false);
  const advice = wrong.ok ? [] : proposedIn(wrong.errors[0]?.help);
  expect(advice.length).toBeGreaterThan(0);
  expect(found(...advice)).toEqual(expected);
});

test('a value that is left out of the configuration as its default is found where the sweep varies it', () => {
  const [first, second] = makePlan({ axes: { 'model.outputDropout': [0, 0.3] } }).runs;
  if (!first || !second) throw new Error('no runs');
  const written = Object.entries(first.config.model).filter(([key]) => key !== 'outputDropout');
  const model = Object.fromEntries(written);
  const runs = [{ ...first, config: { ...first.config, model } } as Run, second];
  const found = filterRuns(
    runs.map((run) => ({ run, state: 'done' as const })),
    ['outputDropout=0'],
  );
  expect(found).toMatchObject({ ok: true, value: [{ run: { id: first.id } }] });
});

test('settings to group by are found by the end of their path, and refused where no run has them', () => {
  expect(settingPaths(plan.runs, ['learningRate', 'model.name', 'seed'])).toMatchObject({
    value: ['optimizer.learningRate', 'model.name', 'seed'],
  });
  expect(settingPaths(plan.runs, ['learningRte', 'name'])).toMatchObject({
    errors: [
      { message: 'No run has a setting "learningRte".', help: 'Did you mean learningRate?' },
      { message: 'More than one setting is called "name".' },
    ],
  });
});
