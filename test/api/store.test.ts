import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { compare, defineExperiment, pull, push, run, UnrollError, type RunEvent } from 'unroll-ml';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const experiment = defineExperiment({
  name: 'shared',
  dataset: { name: 'toy-sequences', trainSize: 160, testSize: 40 },
  model: { name: 'gru', hiddenSize: 4 },
  optimizer: { name: 'adam', learningRate: 0.02 },
  train: { steps: 8, batchSize: 16 },
  seeds: 2,
});

/** A folder for a store, and settings of programs with a runs directory of their own each. */
const places = () => {
  const folder = temporaryDirectory();
  return {
    store: join(folder, 'store'),
    settings: (name: string) => ({ runsDirectory: join(folder, name), mlflow: false as const }),
  };
};

it('takes from a store what another program has trained and sent', async () => {
  const { store, settings } = places();
  const notes: string[] = [];
  const listener = (event: RunEvent) => {
    if (event.type === 'note') notes.push(event.message);
  };
  const first = await run(experiment, { ...settings('first'), store, listener });
  expect(first.trained).toHaveLength(2);
  expect(first.taken).toEqual([]);
  const other = await run(experiment, { ...settings('other'), store, listener });
  expect(other.trained).toEqual([]);
  expect([...other.taken].sort()).toEqual([...first.trained].sort());
  expect(other.outcomes).toEqual(first.outcomes);
  expect(notes).toEqual([
    `2 runs sent to ${store}.`,
    expect.stringContaining(`2 runs taken from ${store}, trained on `),
  ]);
});

it('sends and brings runs by name, with the plan of their sweep', async () => {
  const { store, settings } = places();
  const { runsDirectory } = settings('first');
  const { trained } = await run(experiment, { ...settings('first'), store: false });
  const [one = '', other = ''] = trained;
  expect(await push(one.slice(0, 8), { runsDirectory, store })).toEqual({
    store,
    pushed: [`shared/${one}`],
    there: 0,
    notFinished: 0,
  });
  expect(await push('shared', { runsDirectory, store })).toMatchObject({
    pushed: [`shared/${other}`],
    there: 1,
  });
  const there = settings('other').runsDirectory;
  const brought = await pull('shared', { runsDirectory: there, store });
  expect([...brought.pulled].sort()).toEqual(trained.map((id) => `shared/${id}`).sort());
  expect(brought).toMatchObject({ here: 0, missing: 0, held: 0 });
  const numbers = async (directory: string) =>
    (await compare('shared', { runsDirectory: directory })).configurations.map(({ objective }) => objective);
  expect(await numbers(there)).toEqual(await numbers(runsDirectory));
  expect(await pull([], { runsDirectory: there, store })).toMatchObject({ pulled: [], here: 2 });
});

it('throws what the caller can fix', async () => {
  const { store, settings } = places();
  const { runsDirectory } = settings('first');
  mkdirSync(runsDirectory);
  const codesOf = async (act: Promise<unknown>): Promise<readonly string[]> => {
    const error = await act.catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(UnrollError);
    return (error as UnrollError).diagnostics.map(({ code }) => code);
  };
  expect(await codesOf(pull('nothing-here', { runsDirectory, store }))).toEqual(['unknown-run']);
  expect(await codesOf(push('nothing-here', { runsDirectory, store }))).toEqual(['unknown-run']);
  expect(await codesOf(push([], { runsDirectory, store: 'ftp://elsewhere' }))).toEqual(['store']);
  expect(await codesOf(run(experiment, { ...settings('first'), store: 'ftp://elsewhere' }))).toEqual([
    'store',
  ]);
});
