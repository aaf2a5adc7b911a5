import { expect, test } from 'vitest';
import { prepareExecutor } from '../../src/cli/executors.ts';
import { planExperiment } from '../../src/plan/plan-experiment.ts';

test.each([
  [{ priority: 3 }, '--priority', 'bullmq'],
  [{ maxParallel: 2 }, '--max-parallel', 'bullmq or slurm'],
  [{ executor: 'slurm', class: 'big' }, '--class', 'bullmq'],
  [{ executor: 'slurm', priority: 1 }, '--priority', 'bullmq'],
] as const)('%j is refused, as %s would have no effect', async (options, flag, places) => {
  const plan = await planExperiment('experiments/smoke.yaml', { cores: 1 });
  if (!plan.ok) throw new Error(plan.errors[0]?.message);
  const prepared = await prepareExecutor(plan.value, { ...options, runsDirectory: 'runs' });
  expect(prepared).toMatchObject({
    ok: false,
    errors: [{ code: 'bad-argument', expected: `${flag} with --executor ${places}` }],
  });
});
