/**
 * Makes bench/search/table.json from the recorded runs of bench/search/table.yaml: the validation accuracy of each point
 * at geometric budgets of steps.
 *
 *     node bench/run.mjs search/make-table.ts [runs directory]
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../src/system/package-root.ts';
import { readMetrics } from '../../src/record/read-metrics.ts';
import { listRuns } from '../../src/record/read-runs.ts';

const budgets = [18, 54, 162, 486];
const { runs } = listRuns(process.argv[2] ?? 'runs', { experiment: 'search-table' });
const points: Record<string, (number | null)[]> = {};
for (const { run, directory, state } of runs) {
  if (state !== 'done') throw new Error(`Run ${run.id} is ${state}.`);
  const series = (await readMetrics(directory)).series.get('val/accuracy');
  const { optimizer, model, train } = run.config;
  points[[optimizer['learningRate'], model['hiddenSize'], train.batchSize].map(Number).join()] = budgets.map(
    (step) => {
      const at = series?.steps.indexOf(step) ?? -1;
      return series?.values[at] ?? null;
    },
  );
}
const sorted = Object.entries(points).sort(([a], [b]) => {
  const [x = [], y = []] = [a, b].map((key) => key.split(',').map(Number));
  return (x[0] ?? 0) - (y[0] ?? 0) || (x[1] ?? 0) - (y[1] ?? 0) || (x[2] ?? 0) - (y[2] ?? 0);
});
const lines = sorted.map(([key, values]) => `    ${JSON.stringify(key)}: ${JSON.stringify(values)}`);
writeFileSync(
  join(packageRoot, 'bench/search/table.json'),
  `{\n  "metric": "val/accuracy",\n  "budgets": ${JSON.stringify(budgets)},\n  "points": {\n${lines.join(',\n')}\n  }\n}\n`,
);
process.stdout.write(`${sorted.length} points\n`);
