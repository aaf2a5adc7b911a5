import type { Json } from '../spec/plan.ts';
import type { Comparison } from './compare.ts';

/** One row of CSV for each run, in the order of the comparison; RFC 4180: CRLF, quotes doubled. */
export const comparisonToCsv = ({ axes, cells, objective }: Comparison): string => {
  const header = ['rank', 'best', 'tied', ...axes, 'seed', objective.metric, 'state', 'reason'];
  const rows = cells.flatMap((cell) =>
    cell.runs.map((run): Json[] => [
      cell.rank,
      cell.best,
      cell.tied,
      ...axes.map((path) => cell.values[path] ?? null),
      run.seed,
      run.value,
      run.state,
      run.reason,
      run.step,
      run.elapsedMs / 1000,
      run.id,
    ]),
  );
  return [[...header, 'steps', 'seconds', 'run'], ...rows]
    .map((row) => `${row.map(csvField).join(',')}\r\n`)
    .join('');
};

const csvField = (value: Json): string => {
  const text = value === null ? '' : typeof value === 'string' ? value : JSON.stringify(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
};
