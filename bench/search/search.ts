/**
 * How good the search methods are, on a table of real trainings (bench/search/table.json: LSTMs on MNIST rows, learning
 * rate x hidden size x batch size). The code that decides is the runner's own; only the training is looked up.
 *
 *     node bench/run.mjs search/search.ts [seeds] [python with optuna]
 *
 * Writes bench/results/search.json and docs/search-benchmark.md.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import jstat from 'jstat';
import { packageRoot } from '../../src/system/package-root.ts';
import { nextDecision } from '../../src/search/decide.ts';
import { viewOf, type Decision } from '../../src/search/ledger.ts';
import type { Plan, Run, Search } from '../../src/plan/plan.ts';
import { planExperiment } from '../../src/plan/plan-experiment.ts';
import { createProposer } from '../../src/plan/propose.ts';

const seeds = Number(process.argv[2] ?? 10);
const python = process.argv[3];
const folder = join(packageRoot, 'bench/search');
const table = JSON.parse(readFileSync(join(folder, 'table.json'), 'utf8')) as {
  budgets: number[];
  points: Record<string, (number | null)[]>;
};
const finals = Object.values(table.points).map((curve) => curve.at(-1) ?? 0);
const optimum = Math.max(...finals);
const fullSteps = table.budgets.at(-1) ?? 0;
const shown = [10, 16, 24, 32, 48];
const most = 48;

const curveOf = ({ config: { optimizer, model, train } }: Run): number[] => {
  const key = [optimizer['learningRate'], model['hiddenSize'], train.batchSize].map(Number).join();
  const curve = table.points[key];
  if (!curve) throw new Error(`The table has no ${key}.`);
  return curve.map((value) => value ?? 0);
};

const planFor = async (overrides: readonly string[]): Promise<Plan & { search?: Search }> => {
  const planned = await planExperiment(join(folder, 'table.yaml'), { cores: 2, set: overrides });
  if (!planned.ok) throw new Error(JSON.stringify(planned.errors.map(({ message }) => message)));
  return planned.value;
};

/** Plays a search on the table: each decision's result is looked up. The last decision is the last that was made. */
const play = async (plan: Plan & { readonly search: Search }) => {
  const { search } = plan;
  const levels = search.pruning ? table.budgets.length : 1;
  const runs = [...plan.runs];
  const coordinates = [...(search.sampler?.coordinates ?? [])];
  const created = search.sampler ? await createProposer(plan, folder) : undefined;
  if (created && !created.ok) throw new Error(created.errors[0]?.message);
  const proposer = created?.value;
  const decisions: Decision[] = [];
  const results: number[] = [];
  for (;;) {
    const next = nextDecision(search, { decisions, results }, () => levels);
    if (next.kind !== 'decided') break;
    const { point, level } = next.decision;
    if (point >= runs.length) {
      const view = viewOf({ decisions, results }, next.known, () => levels);
      const tried = runs.map((run, index) => {
        const value = [...(view?.results.get(index)?.values() ?? [])].at(-1) ?? null;
        return { configuration: run.cell, coordinates: coordinates[index] ?? [], value, level: 0 };
      });
      const found = await proposer?.propose(tried);
      const [run] = found?.runs ?? [];
      if (!found || !run) break;
      runs.push(run);
      coordinates.push(found.coordinates);
    }
    const run = runs[point];
    if (!run) break;
    decisions.push(next.decision);
    results.push(search.pruning ? (curveOf(run)[level] ?? 0) : (curveOf(run).at(-1) ?? 0));
  }
  return { decisions, results };
};

const method = (name: string, samples: number, seed: number) => [
  `sweep.method=${name}`,
  `sweep.samples=${samples}`,
  `sweep.seed=${seed}`,
];

const everySeed = async <T>(compute: (seed: number) => Promise<T>): Promise<T[]> => {
  const all: T[] = [];
  for (let seed = 0; seed < seeds; seed++) all.push(await compute(seed));
  return all;
};

const valuesOf = async (overrides: readonly string[]) =>
  (await planFor(overrides)).runs.map((run) => curveOf(run).at(-1) ?? 0);
const tpe = (lookahead: number) =>
  everySeed(async (seed) => {
    const plan = await planFor([...method('tpe', most, seed), `sweep.lookahead=${lookahead}`]);
    return plan.search ? (await play({ ...plan, search: plan.search })).results : [];
  });
const optuna = (...more: readonly string[]) => {
  if (python === undefined) return undefined;
  const printed = execFileSync(
    python,
    [join(folder, 'optuna_tpe.py'), String(seeds), String(most), ...more],
    {
      encoding: 'utf8',
    },
  );
  return JSON.parse(printed) as { version: string; values: number[][] };
};

const byOptuna = optuna();
const byOptunaJoint = optuna('--multivariate');
const values: Record<string, number[][] | undefined> = {
  random: await everySeed((seed) => valuesOf(method('random', most, seed))),
  'quasi-random': await everySeed((seed) => valuesOf(method('quasi-random', most, seed))),
  'tpe, lookahead 1': await tpe(1),
  'tpe, lookahead 4': await tpe(4),
  'Optuna TPE': byOptuna?.values,
  'Optuna TPE, multivariate': byOptunaJoint?.values,
};

/** Mean and half of the 95 % interval (Student's t). */
const interval = (list: readonly number[]) => {
  const mean = list.reduce((sum, one) => sum + one, 0) / list.length;
  const variance = list.reduce((sum, one) => sum + (one - mean) ** 2, 0) / (list.length - 1);
  return { mean, half: jstat.studentt.inv(0.975, list.length - 1) * Math.sqrt(variance / list.length) };
};

const regrets = Object.fromEntries(
  Object.entries(values).flatMap(([name, all]) =>
    all
      ? [[name, shown.map((count) => interval(all.map((one) => optimum - Math.max(...one.slice(0, count)))))]]
      : [],
  ),
);

/** Steps that ASHA takes until a run at its end is as good as the best of 27 random runs, each trained to its end. */
const randomRuns = 27;
const asha = await everySeed(async (seed) => {
  const plan = await planFor([
    ...method('random', 3 * randomRuns, seed),
    'sweep.pruning={ name: asha, minSteps: 18, reductionFactor: 3 }',
  ]);
  const wanted = Math.max(...plan.runs.slice(0, randomRuns).map((run) => curveOf(run).at(-1) ?? 0));
  const { decisions, results } = plan.search
    ? await play({ ...plan, search: plan.search })
    : { decisions: [], results: [] };
  let steps = 0;
  let reached: number | null = null;
  let best = 0;
  for (const [index, { level }] of decisions.entries()) {
    steps += (table.budgets[level] ?? 0) - (table.budgets[level - 1] ?? 0);
    if (level < table.budgets.length - 1) continue;
    best = Math.max(best, results[index] ?? 0);
    if (best >= wanted) reached ??= steps;
  }
  return { seed, random: wanted, randomSteps: randomRuns * fullSteps, asha: best, ashaSteps: steps, reached };
});

const number = (value: number) => value.toFixed(4);
const cell = ({ mean, half }: { mean: number; half: number }) => `${number(mean)} ± ${number(half)}`;
const within = asha.filter(({ reached, randomSteps }) => reached !== null && reached <= randomSteps / 3);
const gain = interval(asha.map((one) => one.asha - one.random));
const share = interval(asha.map(({ ashaSteps, randomSteps }) => ashaSteps / randomSteps));
const machine = `${cpus()[0]?.model ?? ''}, Node ${process.version}`;
writeFileSync(
  join(packageRoot, 'bench/results/search.json'),
  `${JSON.stringify({ seeds, optimum, shown, regrets, asha, optuna: byOptuna?.version ?? null, machine }, null, 2)}\n`,
);
writeFileSync(
  join(packageRoot, 'docs/search-benchmark.md'),
  [
    '# How good the searches are',
    '',
    `Made by \`node bench/run.mjs search/search.ts ${seeds} PYTHON\` (${machine}${byOptuna ? `, Optuna ${byOptuna.version}` : ''}). The objective is real:`,
    '`bench/search/table.yaml` trained an LSTM on MNIST rows for each of 384 points (16 learning rates, 6 hidden sizes, 4 batch',
    'sizes; 486 steps; accuracy on 2,000 validation images). The searches run on that table with the code of the runner.',
    '',
    '## Simple regret',
    '',
    `The best accuracy of the table (${optimum}) less the best that was found, after this many trainings: mean over ${seeds} seeds and 95 % interval. Less is better.`,
    '',
    `| method | ${shown.join(' | ')} |`,
    `| --- | ${shown.map(() => '---').join(' | ')} |`,
    ...Object.entries(regrets).map(([name, list]) => `| ${name} | ${list.map(cell).join(' | ')} |`),
    '',
    '`lookahead 4` is the default: four points are in training without waiting for each other. Optuna works one by one, as',
    '`lookahead 1` does.',
    '',
    '## Asynchronous successive halving',
    '',
    `${3 * randomRuns} random points with \`pruning: { name: asha, minSteps: 18, reductionFactor: 3 }\` against ${randomRuns} random points that are all trained to their end:`,
    '',
    `- training steps: ${(100 * share.mean).toFixed(1)} ± ${(100 * share.half).toFixed(1)} % of those of random search`,
    `- best accuracy: ${number(gain.mean)} ± ${number(gain.half)} better than that of random search`,
    `- as good as random search's best with at most a third of its steps: in ${within.length} of ${seeds} seeds`,
    '',
    '| seed | random: best | steps | asha: best | steps in all | steps until as good |',
    '| --- | --- | --- | --- | --- | --- |',
    ...asha.map(
      (one) =>
        `| ${one.seed} | ${one.random} | ${one.randomSteps} | ${one.asha} | ${one.ashaSteps} | ${one.reached ?? 'never'} |`,
    ),
    '',
  ].join('\n'),
);
process.stdout.write(readFileSync(join(packageRoot, 'docs/search-benchmark.md'), 'utf8'));
