import type { NamedSection, TrainConfig } from '../language/config.ts';
import { pretrainedOf } from '../data/vectors/setting.ts';
import { fileParameters, registry } from '../registry/rows.ts';
import { canonicalJson, shortHash, type Json } from '../system/json.ts';
import { foldOf, type Run } from './plan.ts';

/**
 * A dataset section without the paths of its files, given the names of the parameters that hold them: the path of
 * a file is no part of a run, and the digest identifies its content. A file that is not named (null) stays.
 */
export const withoutPaths = (section: NamedSection, files: readonly string[]): NamedSection =>
  Object.fromEntries(
    Object.entries(section).filter(([key, value]) => value === null || !files.includes(key)),
  ) as NamedSection;

/** The settings of train that only record more of a run: they change no number of it. */
const requests: ReadonlySet<string> = new Set(['accuracyFirst128', 'predictions']);

/**
 * A train section as ids cover it: without the settings that only record more of a run, and with the digest of the
 * weights that it starts from in place of the name.
 */
export const identityOfTrain = (train: TrainConfig, start: Run['start']): Partial<TrainConfig> => ({
  ...Object.fromEntries(Object.entries(train).filter(([key]) => !requests.has(key))),
  ...(start && { from: start.sha256 }),
});

/** A model section as ids cover it: with the digest of its pretrained vectors in place of their files. */
export const identityOfModel = (model: NamedSection, vectors: Run['vectors']): NamedSection => {
  const setting = pretrainedOf(model);
  if (!setting || vectors === undefined) return model;
  return { ...model, embedding: { size: setting.size, trainable: setting.trainable, vectors } };
};

/** The parameters of a run's dataset that name files. */
export const filesOf = ({ config: { dataset }, files }: Run): readonly string[] =>
  files ?? fileParameters(registry, dataset.name);

export const namesFiles = (run: Run): boolean => filesOf(run).length > 0;

/** The paths of the data files of a run and its model, as written in the spec. */
export const dataPathsOf = (run: Run): readonly string[] => {
  const { file, tokens } = pretrainedOf(run.config.model) ?? {};
  return [...filesOf(run).map((parameter) => run.config.dataset[parameter]), file, tokens].filter(
    (path) => typeof path === 'string',
  );
};

/** The id of a run as this version computes it; a run that an earlier version recorded may have another. */
export const runIdOf = (run: Run): string => hashOf({ ...identityOf(run), seed: run.seed });

/** The id of a run's configuration, as this version computes it. */
export const configurationIdOf = (run: Run): string =>
  namesFiles(run) && foldOf(run) === undefined ? hashOf(identityOf(run)) : run.cell;

const identityOf = (run: Run) => {
  const { code, config, datasetDigest, versions, start, vectors } = run;
  const dataset = withoutPaths(config.dataset, filesOf(run));
  return {
    ...(code && { code }),
    config: {
      ...config,
      dataset,
      model: identityOfModel(config.model, vectors),
      train: identityOfTrain(config.train, start),
    },
    datasetDigest,
    versions,
  };
};

const hashOf = (identity: Json): string => shortHash(canonicalJson(identity));

/**
 * Raised whenever the trainer would make other numbers out of the same configuration; a part of every run's id, so that
 * old results are not taken for new ones.
 */
export const trainerVersion = 1;
