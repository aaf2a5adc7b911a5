import { bestBaseline } from '../data/forecast-part.ts';
import type { PartEvaluation } from '../record/run-files.ts';
import { formatMetric } from '../terminal/format.ts';
import { renderTable, type Column } from '../terminal/table.ts';
import { stepErrorTable } from './step-errors.ts';

const columns: readonly Column[] = [
  { title: '  forecast', align: 'left', keep: Infinity },
  { title: 'mae', align: 'right', keep: Infinity },
  { title: 'rmse', align: 'right', keep: 2 },
];

/** The errors of a network beside those of forecasts that need none, and whether it beats them; none of another task. */
export const baselineLines = (
  { baselines = [] }: Pick<PartEvaluation, 'baselines'>,
  network: { readonly mae: number | undefined; readonly mse: number | undefined },
  { width }: { readonly width: number },
): string[] => {
  const best = bestBaseline(baselines);
  const { mae, mse } = network;
  if (!best || mae === undefined) return [];
  const rows = [
    ['  network', formatMetric(mae), mse === undefined ? '' : formatMetric(Math.sqrt(mse))],
    ...baselines.map(({ name, season, mae: error, rmse }) => [
      `  ${name}${season === undefined ? '' : `, season ${season}`}`,
      formatMetric(error),
      formatMetric(rmse),
    ]),
  ].map((row) => row.map((text) => ({ text })));
  return [
    ...renderTable(columns, rows, { width }),
    mae < best.mae
      ? `  The network beats the best of them by ${percent(1 - mae / best.mae)} of its mae.`
      : `  The network does not beat ${best.name}.`,
  ];
};

/** The errors of a forecast by how many steps ahead it is; none of another task. */
export const stepErrorLines = (
  evaluation: PartEvaluation,
  { width }: { readonly width: number },
): string[] => {
  const table = stepErrorTable(evaluation);
  if (!table) return [];
  const titles: readonly Column[] = [
    { title: '  steps ahead', align: 'left', keep: Infinity },
    ...table.metrics.map((title, at): Column => ({ title, align: 'right', keep: 10 - at })),
  ];
  const rows = table.rows.map(({ step, values }) =>
    [`  ${step}`, ...values.map((value) => (value === null ? '' : formatMetric(value)))].map((text) => ({
      text,
    })),
  );
  return renderTable(titles, rows, { width });
};

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
