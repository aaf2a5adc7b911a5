import type { DataContext } from '../dataset.ts';
import { shortestSetting } from '../columns/missing.ts';
import type { SeriesFormat } from './format.ts';
import { checkSeries, numberColumns, seriesParts, type SeriesParameters } from './parameters.ts';

/**
 * What the rows of series have in common: only how a file is read differs. The modules that read are loaded when they are
 * needed, since most commands read no series.
 */
export const fromSeries = <P extends SeriesParameters>(formatOf: (chosen: P) => Promise<SeriesFormat>) => ({
  formatOf,
  files: ['file'],
  check: checkSeries,
  configured: (chosen: P) => ({ ...chosen, missing: shortestSetting(chosen.missing, numberColumns(chosen)) }),
  parts: seriesParts,
  folds: (chosen: P) => chosen.rolling ?? undefined,
  shape: async (chosen: P, context: DataContext) => {
    const { seriesFacts } = await import('./inspect-series.ts');
    return (await seriesFacts(await formatOf(chosen), context)).shape;
  },
  digest: async (chosen: P, context: DataContext) =>
    (await import('./load-series.ts')).seriesDigest(chosen, context),
  inspect: async (chosen: P, context: DataContext) => {
    const { seriesFacts } = await import('./inspect-series.ts');
    return (await seriesFacts(await formatOf(chosen), context)).inspection;
  },
  load: async (chosen: P, context: DataContext) => {
    const { loadSeries } = await import('./load-series.ts');
    return loadSeries(await formatOf(chosen), context);
  },
});
