import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { loadReport } from '../../src/report/load-report.ts';
import { renderReportPage, watchReport } from '../../src/report/write-report.ts';
import { packageRoot } from '../../src/system/package-root.ts';
import { makePlan, only, sweepStart, writeSweep } from '../support/run-directories.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const plan = makePlan({
  axes: { 'model.hiddenSize': [64, 128], 'optimizer.learningRate': [0.001, 0.01] },
  seeds: [1, 2],
});

test('a report holds comparison, curves, evaluations and details of its sweep alone', async () => {
  const runs = temporaryDirectory();
  writeSweep(runs, makePlan({ axes: { 'model.hiddenSize': [999] } }));
  writeSweep(runs, plan, (_run, index) => (index === 0 ? { state: 'diverged', step: 50 } : {}));
  const data = await loadReport(only(plan), { runsDirectory: runs, now: sweepStart });

  expect(Object.keys(data.runs), 'in the order of the plan').toEqual(plan.runs.map((run) => run.id));
  expect(data.names).toEqual({ 'model.hiddenSize': 'hiddenSize', 'optimizer.learningRate': 'learningRate' });
  // Metrics with a single point have no curve.
  expect(Object.keys(data.curves)).toEqual(['train/loss', 'train/accuracy']);
  expect(data.curves['train/loss']?.steps).toEqual([10, 20, 30, 40, 50, 60, 70, 80, 90, 100]);
  const diverged = plan.runs[0]?.id ?? '';
  expect(data.curves['train/loss']?.values[diverged]?.slice(3)).toEqual([
    expect.any(Number),
    ...new Array<null>(6).fill(null),
  ]);
  expect(data.runs[diverged]?.metrics['train/loss']).toBe('NaN');
  expect(Object.keys(data.evaluations)).toHaveLength(7);
  expect(data.evaluations[diverged]).toBeUndefined();
  expect(JSON.stringify(data)).not.toContain(runs);
});

test('the command of a run works where the page says', async () => {
  const runs = temporaryDirectory();
  writeSweep(runs, plan);
  const commandFrom = async (folder: string) => {
    const chosen = only(plan);
    const before = process.cwd();
    process.chdir(folder);
    try {
      const { besideFolder, runs: loaded } = await loadReport(chosen, {
        runsDirectory: runs,
        now: sweepStart,
      });
      return [besideFolder, Object.values(loaded)[0]?.command];
    } finally {
      process.chdir(before);
    }
  };
  const id = plan.runs[0]?.id ?? '';
  const name = basename(runs);
  const command = `unroll show ${id} --runs-directory ${name}`;
  expect(await commandFrom(dirname(runs))).toEqual([null, command]);
  expect(await commandFrom(packageRoot)).toEqual([name, command]);
});

test('the page has everything inside, and no text of a spec can break out of its data', async () => {
  const runs = temporaryDirectory();
  const odd = { ...plan, spec: { path: 'a.yaml', text: '</script><script>alert(1)</script><!--' } };
  writeSweep(runs, odd);
  const page = renderReportPage(await loadReport(only(odd), { runsDirectory: runs, now: sweepStart }));
  expect(page.match(/<script/g)).toHaveLength(2);
  expect(page).not.toContain('alert(1)</script>');
  expect(page).not.toMatch(/<(link|img|iframe)|src="|href="http/);
  const json = /<script type="application\/json" id="data">(.*?)<\/script>/s.exec(page)?.[1] ?? '';
  expect(JSON.parse(json)).toMatchObject({ specs: [odd.spec] });
});

test('a sweep with no run yet still has a report', async () => {
  const data = await loadReport(only(plan), { runsDirectory: temporaryDirectory(), now: sweepStart });
  expect(data.comparison.counts.new).toBe(8);
  expect(data.curves).toEqual({});
  expect(renderReportPage(data)).toContain('<!doctype html>');
});

test('watching writes again until nothing runs or waits, and leaves a page that stays', async () => {
  const runs = temporaryDirectory();
  const path = join(runs, 'report.html');
  const waiting: number[] = [];
  writeSweep(runs, plan, () => ({ state: 'new' }));
  await watchReport(
    only(plan),
    { runsDirectory: runs, path },
    {
      everySeconds: 0.05,
      stop: new AbortController().signal,
      written: ({ comparison }) => {
        waiting.push(comparison.counts.new);
        expect(existsSync(path)).toBe(true);
        if (waiting.length === 1) {
          expect(readFileSync(path, 'utf8')).toContain('"reloadSeconds":0.05');
          writeSweep(runs, plan);
        }
      },
    },
  );
  expect(waiting).toEqual([8, 0, 0]);
  expect(readFileSync(path, 'utf8')).toContain('"reloadSeconds":null');
});

test('watching stops when told to, in the middle of its wait', async () => {
  const runs = temporaryDirectory();
  const stop = new AbortController();
  let times = 0;
  await watchReport(
    only(plan),
    { runsDirectory: runs, path: join(runs, 'report.html') },
    {
      everySeconds: 3600,
      stop: stop.signal,
      written: () => {
        times++;
        stop.abort();
      },
    },
  );
  expect(times).toBe(2);
});
