import { success } from '../../diagnostic/diagnostic.ts';
import { comparisonToCsv } from '../../report/compare-csv.ts';
import { comparisonToParquet } from '../../report/compare-parquet.ts';
import { compareRuns } from '../../report/compare.ts';
import { filterRuns } from '../../report/filter.ts';
import { renderComparison } from '../../report/render-compare.ts';
import { writeWhole } from '../../system/files.ts';
import { listRuns } from '../../record/read-runs.ts';
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
  const { runs: recorded, problems } = listRuns(runsDirectory, { experiment });
  const groupBy = options['groupBy'] as readonly string[] | undefined;
  const filters = options['filter'] as readonly string[] | undefined;
  const ids = new Set(planned.map(({ id }) => id));
  const kept = filters
    ? filterRuns(
        recorded.filter(({ run }) => ids.has(run.id)),
        filters,
      )
    : success(recorded);
  if (!kept.ok) {
    terminal.report(kept.errors, options);
    return Promise.resolve(2);
  }
  const runs = kept.value;
  const comparison = compareRuns(runs, {
    objective,
    axes,
    // What is filtered out must not come back as a run that never began.
    ...(!filters && { planned }),
    ...(groupBy && { groupBy }),
  });
  const parquet = options['parquet'];
  if (typeof parquet === 'string') writeWhole(parquet, comparisonToParquet(comparison));
  if (options['json']) terminal.print(JSON.stringify(comparison, null, 2));
  else if (options['csv']) terminal.print(comparisonToCsv(comparison).trimEnd());
  else terminal.print(renderComparison(comparison, screen(process.stdout)));
  terminal.report(problems);
  return Promise.resolve(0);
};
