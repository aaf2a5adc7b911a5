import { comparisonToCsv } from '../../report/compare-csv.ts';
import { compareRuns } from '../../report/compare.ts';
import { renderComparison } from '../../report/render-compare.ts';
import { listRuns } from '../../tracking/read-runs.ts';
import type { Execute } from '../command.ts';
import { findSweep } from '../recorded.ts';
import { screen } from '../screen.ts';

/** `unroll compare [EXPERIMENT]` */
export const execute: Execute = (words, options, terminal) => {
  const runsDirectory = options['runsDirectory'] as string;
  const found = findSweep(runsDirectory, words[0], 'compare');
  if (!found.ok) {
    terminal.report(found.errors, options);
    return Promise.resolve(2);
  }
  const { experiment, objective, axes, runs: planned } = found.value;
  const { runs, problems } = listRuns(runsDirectory, { experiment });
  const comparison = compareRuns(runs, { objective, axes, planned });
  if (options['json']) terminal.print(JSON.stringify(comparison, null, 2));
  else if (options['csv']) terminal.print(comparisonToCsv(comparison).trimEnd());
  else terminal.print(renderComparison(comparison, screen(process.stdout)));
  terminal.report(problems);
  return Promise.resolve(0);
};
