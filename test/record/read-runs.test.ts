import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { processIdentity } from '../../src/system/process-identity.ts';
import { listRuns, readRun } from '../../src/record/read-runs.ts';
import { listSweeps } from '../../src/record/read-sweeps.ts';
import { resolveRun } from '../../src/record/resolve-run.ts';
import { fileNames, parseProfile, phases } from '../../src/record/run-files.ts';
import { readJsonIfWhole } from '../../src/system/files.ts';
import { finalMetrics, makePlan, writeRunDirectory, writeSweep } from '../support/run-directories.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const plan = makePlan({ axes: { 'model.hiddenSize': [64, 128] }, seeds: [1, 2] });
const firstRun = plan.runs[0] ?? expect.fail();

test('lists runs with state, reason and last metrics, the last begun first', () => {
  const runs = temporaryDirectory();
  writeSweep(runs, plan, (_run, index) =>
    index === 1 ? { state: 'diverged', step: 40 } : index === 2 ? { state: 'new' } : {},
  );
  const { runs: list, problems } = listRuns(runs);
  expect(problems).toEqual([]);
  expect(
    list.map(({ run, state, reason }) => [
      plan.runs.indexOf(plan.runs.find((one) => one.id === run.id) ?? run),
      state,
      reason,
    ]),
  ).toEqual([
    [2, 'new', ''],
    [3, 'done', ''],
    [1, 'failed', 'The loss became NaN.'],
    [0, 'done', ''],
  ]);
  expect(list[3]?.metrics).toMatchObject(finalMetrics(firstRun, 100));
  expect(list[2]?.metrics['train/loss']).toBeNaN();
  expect(list[0]?.run).toEqual(plan.runs[2]);
});

test('every way to end has a state', () => {
  const runs = temporaryDirectory();
  const stateAfter = (state: Parameters<typeof writeRunDirectory>[2]) => {
    const read = readRun(writeRunDirectory(runs, firstRun, state));
    return read.ok ? read.value.state : read.errors;
  };
  for (const state of ['diverged', 'failed', 'crashed', 'out-of-memory', 'timed-out'] as const) {
    expect(stateAfter({ state })).toBe('failed');
  }
  expect(stateAfter({ state: 'completed' })).toBe('done');
  expect(stateAfter({ state: 'interrupted' })).toBe('interrupted');
  expect(stateAfter({ state: 'killed' })).toBe('interrupted');
  expect(stateAfter({ state: 'not-started' })).toBe('new');
});

test('running is believed only while the very process lives', async () => {
  const runs = temporaryDirectory();
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
  await once(child, 'spawn');
  const holder = processIdentity(child.pid);
  const directory = writeRunDirectory(runs, firstRun, { state: 'running', holder });
  const read = () => {
    const result = readRun(directory);
    return result.ok ? result.value : expect.fail();
  };
  expect(read()).toMatchObject({
    state: 'running',
    reason: expect.stringContaining(`${holder.pid}`) as string,
  });

  // The same number, but another start: a later process.
  writeRunDirectory(runs, firstRun, {
    state: 'running',
    holder: { ...holder, processStartedAt: holder.processStartedAt + 1 },
  });
  expect(read().state).toBe(process.platform === 'linux' ? 'interrupted' : 'running');

  writeRunDirectory(runs, firstRun, { state: 'running', holder });
  child.kill('SIGKILL');
  await once(child, 'exit');
  expect(read()).toMatchObject({
    state: 'interrupted',
    reason: expect.stringContaining('exited without reporting a result') as string,
  });
});

test('a damaged directory is named and hides no other', () => {
  const runs = temporaryDirectory();
  const directories = writeSweep(runs, plan);
  const [first = '', second = '', third = ''] = directories;
  writeFileSync(join(first, fileNames.status), '{"state": "ended", "att');
  writeFileSync(join(second, fileNames.run), '');
  rmSync(join(third, fileNames.run));
  mkdirSync(join(runs, plan.experiment, 'aaaaaaaaaaaa'));

  const { runs: list, problems } = listRuns(runs);
  expect(list.map((one) => one.run.id)).toEqual([plan.runs[3]?.id]);
  expect(problems.map((one) => [one.code, one.message]).sort()).toEqual(
    [
      ['damaged-record', `${join(first, 'status.json')} is not whole JSON.`],
      ['damaged-record', `${join(second, 'run.json')} is empty.`],
      ['damaged-record', `${join(third, 'run.json')} is missing.`],
    ].sort(),
  );
});

test('a file that the system does not let be read hides no other run', () => {
  const runs = temporaryDirectory();
  const [first = ''] = writeSweep(runs, plan);
  const path = join(first, fileNames.run);
  rmSync(path);
  symlinkSync(path, path);
  const { runs: list, problems } = listRuns(runs);
  expect(list).toHaveLength(plan.runs.length - 1);
  expect(problems.map(({ message }) => message)).toEqual([
    `${path} cannot be read: its symbolic links lead in a circle.`,
  ]);
});

test.each([
  ['[]', 'does not hold a JSON object.'],
  [JSON.stringify({ ...firstRun, id: 3 }), 'has no usable `id`.'],
  ['{"id": 3}', 'has no usable `cell`.'],
  [
    JSON.stringify({ ...firstRun, config: { ...firstRun.config, model: {} } }),
    'has no usable `config.model.name`.',
  ],
  [JSON.stringify({ ...firstRun, id: 'ffffffffffff' }), 'is of another run, ffffffffffff.'],
])('run.json %#: says what is wrong', (text, message) => {
  const directory = writeRunDirectory(temporaryDirectory(), firstRun);
  writeFileSync(join(directory, fileNames.run), text);
  const read = readRun(directory);
  expect(read.ok ? [] : read.errors.map((error) => error.message)).toEqual([
    `${join(directory, 'run.json')} ${message}`,
  ]);
});

test.each([
  [{ state: 'paused' }, 'state'],
  [{ endedAt: undefined }, 'endedAt'],
  [{ endedAt: -1e300 }, 'endedAt'],
  [{ startedAt: 8.64e15 + 1 }, 'startedAt'],
  [{ outcome: { reason: 'completed', message: '', step: 1, elapsedMs: 'long', metrics: {} } }, 'outcome'],
])('status.json with %j is reported, and hides no other run', (change, key) => {
  const runs = temporaryDirectory();
  const [first = ''] = writeSweep(runs, plan);
  const path = join(first, fileNames.status);
  const status = JSON.parse(readFileSync(path, 'utf8')) as object;
  writeFileSync(path, JSON.stringify({ ...status, ...change }));
  const { runs: list, problems } = listRuns(runs);
  expect(list).toHaveLength(plan.runs.length - 1);
  expect(problems.map(({ message }) => message)).toEqual([`${path} has no usable \`${key}\`.`]);
});

test('a file that others can do without is read with fields of later versions, and not with wrong ones', () => {
  const path = join(temporaryDirectory(), fileNames.profile);
  const ms = Object.fromEntries(phases.map((phase) => [phase, 1]));
  writeFileSync(path, JSON.stringify({ attempt: 1, steps: 2, ms, later: true }));
  expect(readJsonIfWhole(path, parseProfile)).toEqual({ attempt: 1, steps: 2, ms, later: true });
  writeFileSync(path, JSON.stringify({ attempt: 1, steps: 2, ms: { ...ms, forward: 'long' } }));
  expect(readJsonIfWhole(path, parseProfile)).toBeUndefined();
});

test('an end that this version does not know hides no other run', () => {
  const runs = temporaryDirectory();
  const [first = ''] = writeSweep(runs, plan);
  const path = join(first, fileNames.status);
  writeFileSync(path, readFileSync(path, 'utf8').replace('"completed"', '"converged"'));
  const { runs: list, problems } = listRuns(runs);
  expect(list).toHaveLength(plan.runs.length - 1);
  expect(problems.map(({ message }) => message)).toEqual([
    `${path} has an end that this version of Unroll does not know, "converged".`,
  ]);
});

test('an empty or missing runs directory has no runs', () => {
  expect(listRuns(join(temporaryDirectory(), 'none'))).toMatchObject({ runs: [], problems: [] });
  expect(listRuns(temporaryDirectory(), { experiment: 'none' })).toMatchObject({ runs: [], problems: [] });
});

test('a run is found by the beginning of its id, with its experiment, or by its directory', () => {
  const runs = temporaryDirectory();
  const [directory = ''] = writeSweep(runs, plan);
  const found = { ok: true, value: directory, notices: [] };
  expect(resolveRun(runs, firstRun.id)).toEqual(found);
  expect(resolveRun(runs, firstRun.id.slice(0, 5))).toEqual(found);
  expect(resolveRun(runs, `${plan.experiment}/${firstRun.id.slice(0, 5)}`)).toEqual(found);
  expect(resolveRun(runs, `${directory}/`)).toEqual(found);
});

test('an unknown and an ambiguous id say what is there', () => {
  const runs = temporaryDirectory();
  writeSweep(runs, plan);
  const slip = `${firstRun.id.slice(0, -1)}${firstRun.id.endsWith('0') ? '1' : '0'}`;
  expect(resolveRun(runs, slip)).toMatchObject({
    ok: false,
    errors: [
      {
        code: 'unknown-run',
        nearest: firstRun.id,
        help: `\`unroll ls --runs-directory ${runs}\` shows the 4 recorded runs.`,
      },
    ],
  });
  expect(resolveRun(runs, `${plan.experiment}/`.slice(0, 5))).toMatchObject({
    ok: false,
    errors: [{ code: 'ambiguous-run', message: '4 runs start with "mnist".' }],
  });
  expect(resolveRun(runs, '')).toMatchObject({ ok: false, errors: [{ code: 'unknown-run' }] });
  expect(resolveRun(temporaryDirectory(), 'abc')).toMatchObject({
    ok: false,
    errors: [{ help: expect.stringMatching(/`unroll run SPEC --runs-directory .+` trains/) as string }],
  });
});

test('frozen plans are listed, the newest first; a damaged one is named', () => {
  const runs = temporaryDirectory();
  const later = makePlan({ axes: { 'model.hiddenSize': [64, 128, 256] } });
  writeSweep(runs, plan);
  writeSweep(runs, later);
  const pathOf = (sweepId: string) => join(runs, plan.experiment, 'sweeps', `${sweepId}.json`);
  utimesSync(pathOf(plan.sweepId), 1000, 1000);
  writeFileSync(pathOf('damaged'), '{"runs": [');
  const { sweeps, problems } = listSweeps(runs, { experiment: plan.experiment });
  expect(sweeps.map((one) => one.plan.sweepId)).toEqual([later.sweepId, plan.sweepId]);
  expect(problems.map((one) => one.message)).toEqual([`${pathOf('damaged')} is not a whole plan.`]);
});
