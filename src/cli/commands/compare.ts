import { comparisonToCsv } from '../../report/compare-csv.ts';
import { comparisonToParquet } from '../../report/compare-parquet.ts';
import { compareFiltered, runsOfSweeps } from '../../report/chosen-sweeps.ts';
import { renderComparison } from '../../report/render-compare.ts';
import { writeWhole } from '../../system/files.ts';
import type { Execute } from '../command.ts';
import { readSweeps } from '../recorded.ts';
import { commandLineRange } from '../usage.ts';
import { screen } from '../screen.ts';

/** `unroll compare [SWEEPS...]` */
export const execute: Execute = (words, options, terminal) => {
  const runsDirectory = options['runsDirectory'] as string;
  const chosen = readSweeps(runsDirectory, {
    command: 'compare',
    names: words,
    sweepIds: (options['sweep'] as readonly string[] | undefined) ?? [],
    all: options['all'] === true,
  });
  if (!chosen.ok) {
    terminal.report(chosen.errors, options);
    return Promise.resolve(2);
  }
  const { runs, problems } = runsOfSweeps(chosen.value, runsDirectory);
  const compared = compareFiltered(chosen.value, runs, {
    groupBy: options['groupBy'] as readonly string[] | undefined,
    filter: options['filter'] as readonly string[] | undefined,
    place: {
      option: '--filter',
      at: (text) => commandLineRange(['compare', ...words, '--filter', text], text),
    },
  });
  if (!compared.ok) {
    terminal.report(compared.errors, options);
    return Promise.resolve(2);
  }
  const comparison = compared.value;
  const parquet = options['parquet'];
  if (typeof parquet === 'string') writeWhole(parquet, comparisonToParquet(comparison));
  if (options['json']) terminal.print(JSON.stringify(comparison, null, 2));
  else if (options['csv']) terminal.data(comparisonToCsv(comparison));
  else terminal.print(renderComparison(comparison, screen(process.stdout)));
  terminal.report(problems);
  return Promise.resolve(0);
};
