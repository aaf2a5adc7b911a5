import { basename } from 'node:path';
import { findDataFiles, isPattern, slashed } from '../data/columns/find-files.ts';
import { findDataFile } from '../data/files.ts';
import { pretrainedOf } from '../data/vectors/setting.ts';
import { findRow, registry } from '../registry/rows.ts';
import type { Run } from './plan.ts';
import { filesOf } from './run-identity.ts';

/** The data of a run as files that can be put into one folder, on this machine or another one. */
export interface DataEntries {
  /** The parameters of the dataset that name files, with their values from that folder. */
  readonly values: Readonly<Record<string, string>>;
  /** The pretrained vectors that the model reads, from that folder. */
  readonly vectors?: { readonly file: string; readonly tokens: string | null };
  /** Where each file is now, by its name in that folder. */
  readonly files: ReadonlyMap<string, string>;
}

/** Finds all data files of a run. Throws `DataError` where one is missing. */
export const findDataEntries = async (run: Run, baseDirectory: string): Promise<DataEntries> => {
  const values: Record<string, string> = {};
  const files = new Map<string, string>();
  const { dataset } = run.config;
  const beside = await findRow(registry.dataset, dataset.name)?.besideFiles?.(dataset, { baseDirectory });
  for (const parameter of filesOf(run)) {
    const path = dataset[parameter];
    if (typeof path !== 'string') continue;
    const found = await findDataFiles(path, { baseDirectory }, parameter);
    const folder = `data/${parameter}`;
    for (const file of found.files) files.set(`${folder}/${found.nameWithin(file)}`, file.path);
    const other = beside?.[parameter];
    if (other !== undefined)
      files.set(
        `${folder}/${basename(other)}`,
        (await findDataFile(other, { baseDirectory }, parameter)).path,
      );
    const parts = slashed(path).split('/');
    const pattern = parts.slice(parts.findIndex(isPattern)).join('/');
    values[parameter] = found.isSingle
      ? `${folder}/${basename(path)}`
      : isPattern(path)
        ? `${folder}/${pattern}`
        : folder;
  }
  const pretrained = pretrainedOf(run.config.model);
  if (!pretrained) return { values, files };
  const add = async (written: string, folder: string): Promise<string> => {
    const { path } = await findDataFile(written, { baseDirectory }, folder);
    const name = `${folder}/${basename(path)}`;
    files.set(name, path);
    return name;
  };
  const { file, tokens } = pretrained;
  const vectors = {
    file: await add(file, 'vectors'),
    tokens: tokens === null ? null : await add(tokens, 'vectors/tokens'),
  };
  return { values, vectors, files };
};

/** The run with the names that its data has in the folder of the entries. */
export const withDataEntries = (
  run: Run,
  { values, vectors }: Pick<DataEntries, 'values' | 'vectors'>,
): Run => {
  const { dataset, model } = run.config;
  const pretrained = vectors && pretrainedOf(model);
  return {
    ...run,
    config: {
      ...run.config,
      dataset: { ...dataset, ...values },
      model: pretrained ? { ...model, embedding: { ...pretrained, ...vectors } } : model,
    },
  };
};
