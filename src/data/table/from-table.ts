import type { DataContext } from '../dataset.ts';
import type { TableFormat } from './ensure-pack.ts';
import { configuredTable, tableParts, type TableParameters } from './parameters.ts';

/**
 * What the rows of tables have in common: only how a file is read differs. The modules that read are loaded when they are
 * needed, since most commands read no table.
 */
export const fromTable = <P extends TableParameters>(formatOf: (chosen: P) => Promise<TableFormat>) => ({
  formatOf,
  files: ['file', 'validationFile', 'testFile', 'labelsFile'],
  configured: configuredTable<P>,
  folds: (chosen: P) => chosen.folds ?? undefined,
  parts: tableParts,
  shape: async (chosen: P, context: DataContext) => {
    const { tableShape } = await import('./load-table.ts');
    return tableShape(await formatOf(chosen), context);
  },
  digest: async (chosen: P, context: DataContext) =>
    (await import('./load-table.ts')).tableDigest(chosen, context),
  inspect: async (chosen: P, context: DataContext) => {
    const { inspectTable } = await import('./inspect-table.ts');
    return inspectTable(await formatOf(chosen), context);
  },
  load: async (chosen: P, context: DataContext) => {
    const { loadTable } = await import('./load-table.ts');
    return loadTable(await formatOf(chosen), context);
  },
});
