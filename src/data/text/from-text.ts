import { createHash } from 'node:crypto';
import type { DataContext } from '../dataset.ts';
import type { TableFormat } from '../table/ensure-pack.ts';
import { tableParts, type TableParameters } from '../table/parameters.ts';
import type { VocabularyRules } from './tokens.ts';

/** What decides a dataset of texts, whatever files it comes from. */
export interface TextParameters extends TableParameters {
  readonly tokenizer?: string | null;
  readonly tokens: VocabularyRules;
}

/** What the rows of texts have in common: only how a file is read and split differs. */
export const fromText = <P>(
  tableOf: (chosen: P) => TextParameters,
  formatOf: (chosen: P, context: DataContext) => Promise<TableFormat>,
) => ({
  formatOf,
  files: ['file', 'validationFile', 'testFile', 'tokenizer'],
  folds: (chosen: P) => tableOf(chosen).folds ?? undefined,
  parts: (chosen: P) => tableParts(tableOf(chosen)),
  shape: async (chosen: P, context: DataContext) => {
    const { textShape } = await import('./load-text.ts');
    return textShape(await formatOf(chosen, context), tableOf(chosen).tokens, context);
  },
  vocabulary: async (chosen: P, context: DataContext) => {
    const { textVocabulary } = await import('./load-text.ts');
    return textVocabulary(await formatOf(chosen, context), tableOf(chosen).tokens, context);
  },
  digest: async (chosen: P, context: DataContext) => {
    const [{ tableDigest }, { fileDigest, findDataFile }] = await Promise.all([
      import('../table/load-table.ts'),
      import('../files.ts'),
    ]);
    const table = tableOf(chosen);
    const digest = await tableDigest(table, context);
    if (!table.tokenizer) return digest;
    const tokenizer = await fileDigest(await findDataFile(table.tokenizer, context, 'tokenizer'));
    return createHash('sha256')
      .update(JSON.stringify([digest, tokenizer]))
      .digest('hex');
  },
  inspect: async (chosen: P, context: DataContext) => {
    const { inspectText } = await import('./load-text.ts');
    return inspectText(await formatOf(chosen, context), tableOf(chosen).tokens, context);
  },
  load: async (chosen: P, context: DataContext) => {
    const { loadText } = await import('./load-text.ts');
    return loadText(await formatOf(chosen, context), tableOf(chosen), context);
  },
});
