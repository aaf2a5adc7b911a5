import { pretrainedOf } from '../../data/vectors/setting.ts';
import { isWeightsFile } from '../../language/train-section.ts';
import type { Run } from '../../plan/plan.ts';
import { filesOf } from '../../plan/run-identity.ts';

/**
 * A run as it is sent: with names in place of the paths of data files, which differ from machine to machine. The digest in
 * the run identifies the content; a name only shows where below its data folder a worker looks for it.
 */
export const portableRun = (run: Run): Run => {
  const { start, ...named } = withDataNames(run, dataName);
  const { from } = run.config.train;
  const weights = isWeightsFile(from) ? { from: baseName(from) } : {};
  return {
    ...named,
    config: { ...named.config, train: { ...run.config.train, ...weights } },
    ...(start && { start: { sha256: start.sha256, ...(start.run !== undefined && { run: start.run }) } }),
  };
};

/** The run with other names of its data files. */
export const withDataNames = (run: Run, change: (name: string) => string): Run => {
  const { dataset, model } = run.config;
  const files = filesOf(run);
  const renamed = Object.fromEntries(
    Object.entries(dataset).map(([key, value]) => [
      key,
      files.includes(key) && typeof value === 'string' ? change(value) : value,
    ]),
  );
  const vectors = pretrainedOf(model);
  const embedding = vectors && {
    ...vectors,
    file: change(vectors.file),
    tokens: vectors.tokens === null ? null : change(vectors.tokens),
  };
  return {
    ...run,
    config: {
      ...run.config,
      dataset: { ...renamed, name: dataset.name },
      model: { ...model, ...(embedding && { embedding }) },
    },
  };
};

/** `../data/a.csv` becomes `data/a.csv`, and of an absolute path only the last part is left. */
const dataName = (path: string): string => {
  const forward = path.replaceAll('\\', '/');
  if (/^([a-z]:)?\//i.test(forward)) return baseName(forward);
  const parts = forward.split('/').filter((part) => part !== '' && part !== '.' && part !== '..');
  return parts.join('/') || '.';
};

export const baseName = (path: string): string => path.split(/[\\/]/).at(-1) ?? '';

/** Whether a name stays below the folder that it starts from. */
export const isDataName = (name: string): boolean =>
  name !== '' && !/^([a-z]:|[\\/~])|\p{Cc}/iu.test(name) && !name.split(/[\\/]/).includes('..');

/** The first name of a data file that is not allowed; undefined if all are. */
export const strangeName = (run: Run): string | undefined => {
  let strange: string | undefined;
  withDataNames(run, (name) => {
    if (!isDataName(name)) strange ??= name;
    return name;
  });
  return strange;
};
