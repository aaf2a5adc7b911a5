import { mkdtempSync, rmSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { compare } from '../../src/api/compare.ts';
import { runProgram } from '../../src/cli/program.ts';
import { openTerminal } from '../../src/cli/terminal.ts';
import type { Plan } from '../../src/plan/plan.ts';
import { listRuns } from '../../src/record/read-runs.ts';
import { chooseSweeps } from '../../src/report/chosen-sweeps.ts';
import type { Comparison } from '../../src/report/compare.ts';
import { listedRuns } from '../../src/report/listed-runs.ts';
import { makePlan, writeSweep } from '../support/run-directories.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const older = makePlan({ experiment: 'tides', axes: { 'model.hiddenSize': [16, 32] } });
const newer = makePlan({ experiment: 'tides', axes: { 'optimizer.learningRate': [0.003, 0.03] } });
const rivers = makePlan({ experiment: 'rivers', axes: { 'model.layers': [1, 2] } });
const newest = { ...rivers, sweepId: 'abc000000001' };

/** Recorded sweeps in the order given, a minute apart. */
const recordSweeps = (runs: string, ...plans: readonly Plan[]): string => {
  for (const [minute, plan] of plans.entries()) {
    writeSweep(runs, plan);
    const time = new Date(Date.UTC(2026, 0, 1, 12, minute));
    utimesSync(join(runs, plan.experiment, 'sweeps', `${plan.sweepId}.json`), time, time);
  }
  return runs;
};

const runs = recordSweeps(mkdtempSync(join(tmpdir(), 'unroll-sweeps-')), older, newer, newest);
afterAll(() => {
  rmSync(runs, { recursive: true });
});

const chosenIds = (choice: Parameters<typeof chooseSweeps>[1], directory = runs) => {
  const chosen = chooseSweeps(directory, choice);
  return chosen.ok
    ? [chosen.value.sweeps.map(({ plan }) => plan.sweepId), chosen.value.otherSweeps]
    : chosen.errors.map(({ code, got, nearest }) => [code, got, nearest]);
};

test.each([
  ['the latest of all without a name', {}, [newest], 0],
  ['the latest of an experiment', { names: ['tides'] }, [newer], 1],
  ['a sweep by the first letters of its id', { names: [older.sweepId.slice(0, 6)] }, [older], 1],
  ['--sweep within an experiment', { names: ['tides'], sweepIds: [older.sweepId] }, [older], 1],
  ['--sweep alone', { sweepIds: [older.sweepId] }, [older], 1],
  ['several --sweep', { sweepIds: [older.sweepId, newest.sweepId] }, [newest, older], 1],
  ['--all of an experiment', { names: ['tides'], all: true }, [newer, older], 0],
  ['--all', { all: true }, [newest, newer, older], 0],
  ['several experiments', { names: ['tides', 'rivers'] }, [newest, newer], 1],
  [
    'another sweep of one of several experiments',
    { names: ['tides', 'rivers'], sweepIds: [older.sweepId] },
    [newest, older],
    1,
  ],
  ['a name that is written twice', { names: ['rivers', 'rivers'] }, [newest], 0],
] as const)('chooses %s', (_title, choice, plans, others) => {
  expect(chosenIds(choice)).toEqual([plans.map(({ sweepId }) => sweepId), others]);
});

test('a sweep id that begins several ids is not guessed, and a full one may be that of two experiments', () => {
  const directory = recordSweeps(
    temporaryDirectory(),
    newest,
    { ...newer, sweepId: 'abc000000002' },
    { ...older, ...newest },
  );
  expect(chosenIds({ sweepIds: ['abc'] }, directory)).toEqual([['ambiguous-run', 'abc', undefined]]);
  const twins = recordSweeps(temporaryDirectory(), newest, { ...newest, experiment: 'lakes' });
  expect(chosenIds({ sweepIds: ['abc'] }, twins)).toEqual([[newest.sweepId, newest.sweepId], 0]);
});

test('each unknown word is named, and not a known one beside it', () => {
  expect(chosenIds({ names: ['tides', 'rivrs'] })).toEqual([['unknown-name', 'rivrs', 'rivers']]);
  expect(chosenIds({ names: ['tide', 'rivers', 'seas'] })).toEqual([
    ['unknown-name', 'tide', 'tides'],
    ['unknown-name', 'seas', undefined],
  ]);
  const wrongLetter = `${older.sweepId.slice(0, -1)}x`;
  expect(chosenIds({ names: ['tides'], sweepIds: [wrongLetter] })).toEqual([
    ['unknown-name', wrongLetter, older.sweepId],
  ]);
  // A sweep of another experiment is not one of the named.
  expect(chosenIds({ names: ['rivers'], sweepIds: [older.sweepId] })).toEqual([
    ['unknown-name', older.sweepId, undefined],
  ]);
});

/** What the command prints, and its exit code. */
const unroll = async (...words: readonly string[]) => {
  const lines: string[] = [];
  const keep = (line: string) => void lines.push(line);
  const argv = [...words, '--runs-directory', runs];
  const code = await runProgram(argv, openTerminal(argv, { print: keep, complain: keep }));
  return { code, text: lines.join('\n') };
};

test('compare says which sweep is shown, and how to see the others', async () => {
  const { text } = await unroll('compare', 'tides');
  expect(text).toMatch(
    new RegExp(
      `^sweep ${newer.sweepId} of .*; 1 more sweep recorded: choose with --sweep ID, or --all$`,
      'm',
    ),
  );
  expect(text).toContain('learningRate');
  expect(text).not.toContain('hiddenSize');
});

test('compare --all names the sweep of each row and the settings in which sweeps differ', async () => {
  const { text } = await unroll('compare', 'tides', '--all');
  expect(text).toContain(newer.sweepId.slice(0, 8));
  expect(text).toContain(older.sweepId.slice(0, 8));
  expect(text).toMatch(/# +sweep +learningRate +hiddenSize/);
  const { text: csv } = await unroll('compare', 'tides', '--all', '--csv');
  expect(csv.split('\r\n')[0]).toMatch(/^experiment,sweep,rank,.*optimizer\.learningRate,model\.hiddenSize,/);
  expect(csv.split('\r\n').map((line) => line.split(',', 2).join(' '))).toEqual(
    expect.arrayContaining([`tides ${older.sweepId}`, `tides ${newer.sweepId}`]),
  );
});

test('compare of two experiments names the experiment of each row, in JSON too', async () => {
  const { text } = await unroll('compare', 'tides', 'rivers');
  expect(text).toMatch(/# +experiment +sweep/);
  const comparison = JSON.parse((await unroll('compare', 'tides', 'rivers', '--json')).text) as Comparison;
  expect(comparison.experiments).toEqual(['rivers', 'tides']);
  expect(comparison.sweeps.map(({ id }) => id)).toEqual([newest.sweepId, newer.sweepId]);
  expect(comparison.configurations.map(({ rank }) => rank)).toEqual([1, 2, 3, 4]);
});

test('compare underlines the word that is wrong', async () => {
  const { code, text } = await unroll('compare', 'tides', 'rivrs');
  expect(code).toBe(2);
  expect(text).toContain('Nothing is recorded as "rivrs"');
  expect(text).toMatch(/unroll compare tides rivrs\n +\| {22}~{5}\n/);
  expect(text).not.toContain('"tides" in');
  const sweep = await unroll('report', 'tides', '--sweep', 'zzzz');
  expect(sweep.code).toBe(2);
  expect(sweep.text).toContain('No sweep has an id that begins with "zzzz".');
  expect((await unroll('compare', '--all', '--sweep', 'abc')).code).toBe(2);
});

test('a report of several sweeps has its own file, both specs and both sweeps', async () => {
  const { text } = await unroll('report', 'tides', 'rivers');
  expect(text).toBe(`${join(runs, 'report-sweeps.html')}: 4 configurations of rivers, tides, 2 sweeps`);
  const one = await unroll('report', 'tides', '--sweep', older.sweepId);
  expect(one.text).toContain(join(runs, 'tides', `report-${older.sweepId}.html`));
});

test('a program compares plans, experiments and sweeps side by side', () => {
  const ids = (comparison: Comparison) => comparison.sweeps.map(({ id }) => id);
  expect(ids(compare('tides', { runsDirectory: runs }))).toEqual([newer.sweepId]);
  expect(ids(compare(older, { runsDirectory: runs }))).toEqual([older.sweepId]);
  expect(ids(compare('tides', { runsDirectory: runs, all: true }))).toEqual([newer.sweepId, older.sweepId]);
  expect(ids(compare('tides', { runsDirectory: runs, sweeps: [older.sweepId] }))).toEqual([older.sweepId]);
  const mixed = compare([older, 'rivers'], { runsDirectory: runs, groupBy: ['model.layers'] });
  expect(mixed.experiments).toEqual(['tides', 'rivers']);
  expect(mixed.counts.done).toBe(4);
});

test('ls names the sweep of each run and the settings in which sweeps differ', async () => {
  const { text } = await unroll('ls', 'tides');
  const line = (id: string) => text.split('\n').find((one) => one.startsWith(id)) ?? expect.fail();
  expect(line(older.runs[0]?.id ?? '')).toContain(older.sweepId.slice(0, 8));
  expect(line(older.runs[0]?.id ?? '')).toMatch(
    /hiddenSize 16, learningRate 0\.001|learningRate 0\.001, hiddenSize 16/,
  );
  expect(line(newer.runs[1]?.id ?? '')).toMatch(/learningRate 0\.03, hiddenSize 128/);
  const listed = JSON.parse((await unroll('ls', 'tides', '--json')).text) as {
    id: string;
    sweeps: string[];
  }[];
  expect(listed.find(({ id }) => id === newer.runs[0]?.id)?.sweeps).toEqual([newer.sweepId]);
});

test('ls names a setting in which two sweeps differ and that neither varies', () => {
  const longer = makePlan({ experiment: 'ebb', axes: { 'model.hiddenSize': [16, 32] }, steps: 200 });
  const shorter = makePlan({ experiment: 'ebb', axes: { 'model.hiddenSize': [16, 32] }, steps: 100 });
  const { runs: list } = listRuns(recordSweeps(temporaryDirectory(), longer, shorter));
  const settings = listedRuns(list, [{ plan: shorter }, { plan: longer }]).map((one) => one.settings);
  expect(settings).toHaveLength(4);
  for (const steps of [100, 200])
    expect(settings).toContainEqual({ 'model.hiddenSize': 16, 'train.steps': steps });
});

test('experiments with other objectives are ranked apart, each by its own', () => {
  const objective = { metric: 'test/loss', goal: 'minimize' } as const;
  const ebb = makePlan({ experiment: 'ebb', axes: { 'model.hiddenSize': [16, 32] }, objective });
  const directory = recordSweeps(temporaryDirectory(), newer, ebb);
  const { groups, configurations } = compare(['tides', 'ebb'], { runsDirectory: directory });
  expect(groups.map((one) => one.objective)).toEqual([objective, newer.objective]);
  expect(configurations.map(({ experiment, rank }) => [experiment, rank])).toEqual([
    ['ebb', 1],
    ['ebb', 2],
    ['tides', 1],
    ['tides', 2],
  ]);
});
