import { join } from 'node:path';
import { readingSection, tokenizerFile } from '../data/preprocessing.ts';
import { findDataFile } from '../data/files.ts';
import { presetsOf } from '../parameters/row.ts';
import { foldOf } from '../plan/plan.ts';
import { rowOf } from '../registry/rows.ts';
import type { Metrics } from '../record/events.ts';
import { fileNames, modelFileNames, type ModelFile } from '../record/run-files.ts';
import { writeTensors } from '../record/safetensors.ts';
import { readRegular, writeJson, writeWhole } from '../system/files.ts';
import { encodeNumbers } from '../system/json.ts';
import { runName, shortNames } from '../terminal/run-name.ts';
import { storeTensors } from './checkpoint.ts';
import { lossSectionOf } from './learner.ts';
import type { Session } from './session.ts';

/** Keeps the trained weights with all that is needed to use them on other data. */
export const keepModel = async (session: Session, metrics: Metrics): Promise<void> => {
  const { directory, learner, run, dataset, baseDirectory } = session;
  const folder = join(directory, fileNames.model);
  const weights = { tensors: storeTensors(learner.weights()), metadata: { run: run.id } };
  writeTensors(join(folder, modelFileNames.weights), weights, 'later');
  writeJson(join(folder, modelFileNames.model), modelFile(session, metrics), 'later');
  if (dataset.vocabulary)
    writeJson(join(folder, modelFileNames.vocabulary), { tokens: dataset.vocabulary }, 'later');
  const { preprocessing } = dataset;
  if (preprocessing && 'tokenizer' in preprocessing && preprocessing.tokenizer) {
    const named = run.config.dataset['tokenizer'] as string;
    const { path } = await findDataFile(named, { baseDirectory }, 'tokenizer');
    writeWhole(join(folder, tokenizerFile), readRegular(path), 'later');
  }
};

const modelFile = ({ run, registry, dataset, learner }: Session, metrics: Metrics): ModelFile => {
  const { config, experiment, seed, id, versions, code, datasetDigest } = run;
  const { name, ...chosen } = config.model;
  const row = rowOf(registry.model, config.model);
  const parameters = { ...presetsOf(row), ...chosen };
  const loss = lossSectionOf(config, dataset.shape, registry);
  const fold = foldOf(run);
  const label = runName(run, shortNames(Object.keys(run.varying)));
  const { quantiles } = learner.loss;
  return {
    format: 2,
    run: { id, label, experiment, seed, ...(fold !== undefined && { fold }) },
    dataset: readingSection(rowOf(registry.dataset, config.dataset), config.dataset),
    model: {
      name,
      parameters: (row.resolved?.(parameters, dataset) ?? parameters) as ModelFile['model']['parameters'],
    },
    loss,
    outputsPerTarget: rowOf(registry.loss, loss).outputsPerTarget?.(loss) ?? 1,
    ...(quantiles && { quantiles }),
    shape: dataset.shape,
    preprocessing: dataset.preprocessing ?? { kind: 'none' },
    metrics: encodeNumbers(metrics),
    data: { digest: datasetDigest },
    kernel: learner.kernel,
    versions,
    ...(code && { code }),
  };
};
