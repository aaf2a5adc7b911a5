import { cpSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createRig, type Rig } from '../support/rig.ts';

const fixtures = 'test/fixtures';
const recorded = readdirSync(fixtures).filter((name) => name.startsWith('recorded-by-'));

/** How the runs of each experiment ended. */
const endings: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  csv: { done: 1 },
  diverged: { failed: 1 },
  failed: { failed: 1 },
  grid: { done: 4 },
  'half-search': { interrupted: 1, pruned: 4 },
  interrupted: { interrupted: 1 },
  search: { done: 2, pruned: 8 },
};

/** 0.1.0 recorded the last evaluation of this run, which kept the weights of step 30. */
const earlyStopped = {
  id: 'de33ab8a421e',
  metrics: {
    'val/loss': 0.25378236174583435,
    'val/accuracy': 0.8333333333333334,
    'train/loss': 0.08527980744838715,
    'train/accuracy': 1,
  },
};

interface Listed {
  readonly id: string;
  readonly experiment: string;
  readonly state: string;
  readonly step: number;
  readonly metrics: Readonly<Record<string, number | string>>;
}

interface Result {
  readonly reason: string;
  readonly step: number;
  readonly metrics: Readonly<Record<string, number>>;
}

/** 0.1.0 wrote null in `status.json` for a value that is not finite. */
const finiteOrNull = (value: number | string): number | null => (typeof value === 'number' ? value : null);

const json = (text: string): unknown => JSON.parse(text);

const answer = async (rig: Rig, ...words: readonly string[]): Promise<string> => {
  const { code, stdout, stderr } = await rig.unroll(...words);
  expect({ words, code, stderr }).toEqual({ words, code: 0, stderr: '' });
  return stdout;
};

const counted = (values: readonly string[]): Record<string, number> => {
  const counts: Record<string, number> = {};
  for (const value of values) counts[value] = (counts[value] ?? 0) + 1;
  return counts;
};

describe.each(recorded)('runs in %s', (folder) => {
  const withRuns = (): Rig => {
    const rig = createRig();
    cpSync(join(fixtures, folder), rig.directory, { recursive: true });
    return rig;
  };

  it('are listed and shown with the numbers of the weights that they keep', async () => {
    const rig = withRuns();
    const runs = json(await answer(rig, 'ls', '--json')) as Listed[];
    for (const [experiment, states] of Object.entries(endings)) {
      const own = runs.filter((run) => run.experiment === experiment);
      expect({ experiment, states: counted(own.map(({ state }) => state)) }).toEqual({ experiment, states });
    }
    expect(runs).toHaveLength(23);
    for (const { id, experiment, metrics, step } of runs) {
      const { outcome } = rig.status(experiment, id);
      const listed = Object.entries(metrics).map(([name, value]) => [name, finiteOrNull(value)]);
      expect({ metrics: Object.fromEntries(listed) as unknown, step }).toEqual({
        metrics: { ...outcome?.metrics, ...(id === earlyStopped.id && earlyStopped.metrics) },
        step: outcome?.step,
      });
    }
    for (const experiment of Object.keys(endings)) {
      const [run] = runs.filter((one) => one.experiment === experiment);
      const shown = json(await answer(rig, 'show', run?.id ?? '', '--json')) as { run: { id: string } };
      expect(shown.run.id).toBe(run?.id);
    }
  });

  it('are compared, and reported as a page', async () => {
    const rig = withRuns();
    const { configurations } = json(await answer(rig, 'compare', 'grid', '--json')) as {
      configurations: { values: unknown; objective: { count: number; mean: number } }[];
    };
    expect(configurations.map(({ values, objective }) => [values, objective.count, objective.mean])).toEqual([
      [{ 'model.hiddenSize': 6 }, 2, 0.65],
      [{ 'model.hiddenSize': 4 }, 2, 0.5125],
    ]);
    await answer(rig, 'compare', 'search');
    await answer(rig, 'report', 'csv');
  });

  it('count as done when their specs are planned again', async () => {
    const rig = withRuns();
    for (const spec of ['grid.yaml', 'csv.yaml'])
      expect(await answer(rig, 'plan', spec)).toContain('nothing to train');
  });

  it('are resumed from their checkpoints and journals to the numbers of a sweep that nothing stopped', async () => {
    const rig = withRuns();
    const results = json(readFileSync(join(rig.directory, 'uninterrupted.json'), 'utf8')) as Record<
      string,
      Record<string, Result>
    >;
    for (const [experiment, runs] of Object.entries(results)) {
      const before = new Map(rig.runIds(experiment).map((id) => [id, rig.metrics(experiment, id)]));
      const { code } = await rig.unroll('resume', experiment, '--no-mlflow');
      expect(code).toBe(0);
      expect(rig.runIds(experiment)).toEqual(Object.keys(runs));
      for (const [id, { reason, step, metrics }] of Object.entries(runs)) {
        const { outcome } = rig.status(experiment, id);
        expect({ id, reason: outcome?.reason, step: outcome?.step }).toEqual({ id, reason, step });
        // Another processor may round differently, and a later version may record more metrics.
        for (const [metric, value] of Object.entries(metrics))
          expect(outcome?.metrics[metric], `${metric} of ${id}`).toBeCloseTo(value, 5);
        const lines = before.get(id) ?? [];
        expect(rig.metrics(experiment, id).slice(0, lines.length)).toEqual(lines);
      }
      if (experiment === 'interrupted') {
        const [id = ''] = Object.keys(runs);
        expect(readFileSync(rig.runPath(experiment, id, 'log.txt'), 'utf8')).toContain(
          'resumed after step 1000',
        );
      }
    }
  });
});
