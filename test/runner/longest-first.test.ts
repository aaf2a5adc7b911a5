import fc from 'fast-check';
import { expect, test } from 'vitest';
import { lengthsOf, longestFirst, orderOfWork } from '../../src/runner/estimate.ts';
import type { RunStanding } from '../../src/runner/select.ts';
import { registry } from '../../src/registry/rows.ts';
import type { Execution } from '../../src/language/config.ts';
import type { Plan } from '../../src/plan/plan.ts';
import type { Json } from '../../src/system/json.ts';
import { unrollSpec } from '../../src/plan/plan-experiment.ts';
import { validateSpec } from '../../src/language/validate-spec.ts';
import type { RunEvent } from '../../src/record/events.ts';
import { writeRunDirectory } from '../support/run-directories.ts';
import { documentOf, specText } from '../support/spec.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const standingsOf = (plan: Plan): RunStanding[] =>
  plan.runs.map((run) => ({ run, state: 'new', reason: '', outcome: null, attempt: 0 }));

/** Two at a time, unless told otherwise. */
const toTrainOf = async (more: Readonly<Record<string, Json>>, execution: Partial<Execution> = {}) => {
  const spec = validateSpec(documentOf(specText(more)), registry);
  if (!spec.ok) throw new Error(spec.errors[0]?.message);
  const planned = await unrollSpec(spec.value, { cores: 2 });
  if (!planned.ok) throw new Error(planned.errors[0]?.message);
  const plan: Plan = {
    ...planned.value,
    execution: { ...planned.value.execution, concurrency: 2, ...execution },
  };
  return { plan, standings: standingsOf(plan) };
};

const valuesOf = (standings: readonly RunStanding[], path: string) =>
  standings.map(({ run }) => run.varying[path]);

test('every run is begun once, no run before a longer one, and equal ones in the order of the plan', () => {
  const lengths = fc.array(
    fc.oneof(fc.integer({ min: 0, max: 5 }), fc.double({ min: 0, max: 1e12, noNaN: true })),
  );
  fc.assert(
    fc.property(lengths, (given) => {
      const order = longestFirst(
        given.map((_, index) => index),
        given,
      );
      expect([...order].sort((a, b) => a - b)).toEqual(given.map((_, index) => index));
      for (const [place, index] of order.entries()) {
        const next = order[place + 1];
        if (next === undefined) continue;
        const [own = 0, following = 0] = [given[index], given[next]];
        expect(own > following || (own === following && index < next)).toBe(true);
      }
    }),
  );
});

test('measured lengths count as they are, and the others in their scale', () => {
  expect(lengthsOf([10, 20, 40], [undefined, undefined, undefined])).toEqual([10, 20, 40]);
  expect(lengthsOf([10, 20, 40], [500, undefined, undefined])).toEqual([500, 1000, 2000]);
  expect(lengthsOf([10, 20, 0], [undefined, 7, 9])).toEqual([3.5, 7, 9]);
});

const axes = { 'model.hiddenSize': [16, 64, 32], 'train.steps': [100, 200] };

test('the plan tells which runs are long: steps, batch size and weights', async () => {
  const { plan, standings } = await toTrainOf({ sweep: { axes } });
  const given = { runsDirectory: temporaryDirectory(), bundle: undefined, listener: () => undefined };
  const ordered = await orderOfWork(plan, standings, given);
  expect(ordered.map(({ run }) => [run.varying['model.hiddenSize'], run.varying['train.steps']])).toEqual([
    [64, 200],
    [64, 100],
    [32, 200],
    [16, 200],
    [32, 100],
    [16, 100],
  ]);
  const batches = await toTrainOf({
    train: { epochs: 1 },
    sweep: { axes: { 'train.batchSize': [512, 8, 64] } },
  });
  const smallFirst = await orderOfWork(batches.plan, batches.standings, given);
  expect(valuesOf(smallFirst, 'train.batchSize')).toEqual([8, 64, 512]);
});

test('the listener hears how long the runs are beside one another', async () => {
  const { plan, standings } = await toTrainOf({ sweep: { axes } }, { concurrency: 1 });
  const heard: RunEvent[] = [];
  const given = { runsDirectory: temporaryDirectory(), bundle: undefined };
  await orderOfWork(plan, standings, { ...given, listener: (event) => heard.push(event) });
  const [told] = heard;
  const work = told?.type === 'work-estimated' ? standings.map(({ run }) => told.work[run.id] ?? 0) : [];
  expect(heard).toHaveLength(1);
  expect(work.map((own, at) => own / (work[at - (at % 2)] ?? 0))).toEqual([1, 2, 1, 2, 1, 2]);
  const all = await toTrainOf({ sweep: { axes } }, { concurrency: 6 });
  await orderOfWork(all.plan, all.standings, { ...given, listener: (event) => heard.push(event) });
  expect(heard).toHaveLength(1);
});

test('what a run has done already does not count', async () => {
  const { plan, standings } = await toTrainOf({ sweep: { axes: { 'model.hiddenSize': [16, 32, 64] } } });
  const interrupted = standings.map((standing, index): RunStanding => {
    const outcome = { reason: 'interrupted', message: '', step: 99, elapsedMs: 1, metrics: {} } as const;
    return index === 2 ? { ...standing, state: 'interrupted', outcome, attempt: 1 } : standing;
  });
  const given = { runsDirectory: temporaryDirectory(), bundle: undefined, listener: () => undefined };
  expect(valuesOf(await orderOfWork(plan, interrupted, given), 'model.hiddenSize')).toEqual([32, 16, 64]);
});

test('what was measured goes before what is reckoned', async () => {
  const { plan, standings } = await toTrainOf({
    train: { steps: 100, displayEvery: 50 },
    seeds: [1, 2],
    sweep: { axes: { 'model.hiddenSize': [16, 32, 64] } },
  });
  const runsDirectory = temporaryDirectory();
  const [quick, , slow] = standings;
  if (quick) writeRunDirectory(runsDirectory, quick.run, { step: 100 });
  if (slow) writeRunDirectory(runsDirectory, { ...slow.run, seed: 3 }, { step: 100 });
  const ordered = await orderOfWork(plan, standings.slice(1), {
    runsDirectory,
    bundle: undefined,
    listener: () => undefined,
  });
  // Measured alike, 16 and 32 stay in the order of the plan; 64 is reckoned from both.
  expect(ordered.map(({ run }) => [run.varying['model.hiddenSize'], run.seed])).toEqual([
    [64, 1],
    [64, 2],
    [16, 2],
    [32, 1],
    [32, 2],
  ]);
});

test.each([
  ['a budget of time', { budget: { timeMs: 1000, runs: null } }],
  ['onError: stop', { onError: 'stop' }],
  ['one run at a time', { concurrency: 1 }],
  ['all at once', { concurrency: 6 }],
] as const)('the order of the plan stays with %s', async (_, execution) => {
  const { plan, standings } = await toTrainOf({ sweep: { axes } }, execution);
  const given = { runsDirectory: temporaryDirectory(), bundle: undefined, listener: () => undefined };
  expect(await orderOfWork(plan, standings, given)).toEqual(standings);
});
