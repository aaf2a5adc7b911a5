import { expect, test } from 'vitest';
import { baselineLines } from '../../src/report/baseline-table.ts';
import { verdictLines } from '../../src/report/render-compare.ts';
import { forecastPlots } from '../../src/report/plot/forecast-charts.ts';

const baselines = [
  { name: 'naive', mae: 4, rmse: 5, maeByStep: [3, 5] },
  { name: 'seasonal naive', season: 7, mae: 2, rmse: 3, maeByStep: [2, 2] },
];

test('the errors of a network are beside those of the baselines, with a verdict', () => {
  const lines = (mae: number) => baselineLines({ baselines }, { mae, mse: 4 }, { width: 80 }).join('\n');
  expect(lines(1.5)).toMatch(/network +1\.5000 +2/);
  expect(lines(1.5)).toMatch(/seasonal naive, season 7 +2/);
  expect(lines(1.5)).toContain('The network beats the best of them by 25.0 % of its mae.');
  expect(lines(3)).toContain('The network does not beat seasonal naive.');
  expect(baselineLines({}, { mae: 1, mse: 1 }, { width: 80 })).toEqual([]);
});

test('a comparison counts the configurations that beat the best baseline', () => {
  const group = { objective: { metric: 'test/mae', goal: 'minimize' }, values: {}, seedsToSeparate: null };
  const member = (skill: number | undefined) =>
    ({
      verdict: null,
      correctedPValue: null,
      metrics: skill === undefined ? {} : { 'test/skill': { mean: skill } },
    }) as unknown;
  const lines = (...skills: (number | undefined)[]) =>
    verdictLines(
      group as Parameters<typeof verdictLines>[0],
      skills.map(member) as Parameters<typeof verdictLines>[1],
    );
  expect(lines(0.3, -0.1, 0.2)[1]).toMatch(/^2 of 3 configurations beat the best baseline/);
  expect(lines(-0.1)[1]).toMatch(/^It does not beat the best baseline/);
  expect(lines(undefined)).toHaveLength(1);
});

test('a forecast is drawn with its truth, its bands and its cutoffs', () => {
  const forecasts = [
    {
      series: 'a<b',
      target: 'y',
      times: ['1', '2', '3', '4'],
      truth: [1, 2, null, 4],
      forecasts: [
        { from: 1, values: [2, 3], low: [1, 2], high: [3, 4] },
        { from: 3, values: [4], low: [3], high: [5] },
      ],
    },
  ];
  const plots = new Map(forecastPlots({ forecasts, maeByStep: [1, 2], baselines }, 'run'));
  expect([...plots.keys()]).toEqual(['forecast', 'error-by-horizon']);
  const picture = plots.get('forecast') ?? '';
  expect(picture.match(/fill-opacity/g)).toHaveLength(2);
  expect(picture.match(/stroke-dasharray/g)).toHaveLength(2);
  expect(picture).toContain('y of a&lt;b');
  expect(picture).not.toContain('NaN');
  expect(plots.get('error-by-horizon')).toContain('seasonal naive');
  expect(forecastPlots({}, 'run')).toEqual([]);
});
