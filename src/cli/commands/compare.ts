import { comparisonToCsv } from '../../report/compare-csv.ts';
import { comparisonToParquet } from '../../report/compare-parquet.ts';
import { runsOfSweeps } from '../../report/chosen-sweeps.ts';
import { compareFiltered } from '../../report/compare-filtered.ts';
import { renderComparison } from '../../report/render-compare.ts';
import { writeWhole } from '../../system/files.ts';
import type { Execute } from '../command.ts';
import { readSweeps } from '../recorded.ts';
import { commandLineRange } from '../usage.ts';
import { refusedOutput } from '../output-file.ts';
import { screen } from '../screen.ts';

interface Options {
  readonly runsDirectory: string;
  readonly json?: boolean | undefined;
  readonly sweep?: readonly string[] | undefined;
  readonly all?: boolean | undefined;
  readonly groupBy?: readonly string[] | undefined;
  readonly filter?: readonly string[] | undefined;
  readonly csv?: boolean | undefined;
  readonly parquet?: string | undefined;
  readonly force?: boolean | undefined;
}

/** `unroll compare [SWEEPS...]` */
export const execute: Execute<Options> = (words, options, terminal) => {
  const { runsDirectory, groupBy, filter, parquet, force } = options;
  const refused = refusedOutput(parquet, { words: ['compare', ...words], option: '--parquet', force });
  if (refused.length > 0) {
    terminal.report(refused, options);
    return Promise.resolve(2);
  }
  const chosen = readSweeps(runsDirectory, {
    command: 'compare',
    names: words,
    sweepIds: options.sweep ?? [],
    all: options.all === true,
  });
  if (!chosen.ok) {
    terminal.report(chosen.errors, options);
    return Promise.resolve(2);
  }
  const { runs, problems } = runsOfSweeps(chosen.value, runsDirectory);
  const compared = compareFiltered(chosen.value, runs, {
    groupBy,
    filter,
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
  if (parquet !== undefined) writeWhole(parquet, comparisonToParquet(comparison));
  if (options.json) terminal.print(JSON.stringify(comparison, null, 2));
  else if (options.csv) terminal.data(comparisonToCsv(comparison));
  else terminal.print(renderComparison(comparison, screen(process.stdout)));
  terminal.report(problems);
  return Promise.resolve(0);
};
