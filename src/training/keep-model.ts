import { join } from 'node:path';
import { readingSection, tokenizerFile } from '../data/preprocessing.ts';
import { findDataFile } from '../data/files.ts';
import { presetsOf } from '../parameters/row.ts';
import { foldOf } from '../plan/plan.ts';
import { rowOf } from '../registry/rows.ts';
import type { Metrics } from '../record/events.ts';
import { fileNames, modelFileNames, type ModelFile } from '../record/run-files.ts';
import { canExport, toOnnx, type OnnxFile } from '../export/onnx/to-onnx.ts';
import { weightsIn, type Weights } from '../export/trained-model.ts';
import { writeTensors } from '../system/safetensors.ts';
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
  const model = modelFile(session, metrics);
  writeJson(join(folder, modelFileNames.model), model, 'later');
  const { vocabulary, preprocessing } = dataset;
  if (vocabulary) writeJson(join(folder, modelFileNames.vocabulary), { tokens: vocabulary }, 'later');
  let tokenizer: Buffer | undefined;
  if (preprocessing && 'tokenizer' in preprocessing && preprocessing.tokenizer) {
    const named = run.config.dataset['tokenizer'] as string;
    const { path } = await findDataFile(named, { baseDirectory }, 'tokenizer');
    tokenizer = readRegular(path);
    writeWhole(join(folder, tokenizerFile), tokenizer, 'later');
  }
  writeOnnx(session, {
    model,
    weights: weightsIn(weights.tensors),
    vocabulary,
    tokenizer: tokenizer?.toString(),
  });
};

/** Writes `model.onnx` where the network can be expressed; a run never fails for want of it. */
const writeOnnx = (
  { directory, registry, run, emit }: Session,
  {
    model,
    weights,
    ...texts
  }: {
    readonly model: ModelFile;
    readonly weights: Weights;
    readonly vocabulary: readonly string[] | undefined;
    readonly tokenizer: string | undefined;
  },
): void => {
  const row = rowOf(registry.model, run.config.model);
  if (!canExport(model, row)) return;
  const file = onnxFile(model, weights, { onnx: row.onnx, ...texts });
  if ('pieces' in file)
    writeWhole(join(directory, fileNames.model, modelFileNames.onnx), file.pieces, 'later');
  else {
    const message = `${modelFileNames.onnx} was not written. ${file.impossible}`;
    emit({ type: 'record-distrusted', time: Date.now(), message });
  }
};

/** A plugin's builder may throw. */
const onnxFile = (...given: Parameters<typeof toOnnx>): OnnxFile => {
  try {
    return toOnnx(...given);
  } catch (error) {
    return { impossible: error instanceof Error ? error.message : String(error) };
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
  const classCounts = learner.classCounts();
  return {
    format: 2,
    run: { id, label, experiment, seed, ...(fold !== undefined && { fold }) },
    dataset: readingSection(rowOf(registry.dataset, config.dataset), config.dataset),
    model: {
      name,
      parameters: (row.resolved?.(parameters, dataset) ?? parameters) as ModelFile['model']['parameters'],
    },
    loss,
    ...(classCounts && { classCounts: Array.from(classCounts) }),
    outputsPerTarget: rowOf(registry.loss, loss).outputsPerTarget?.(loss) ?? 1,
    ...(quantiles && { quantiles }),
    ...(config.train.stateful && { stateful: true as const }),
    shape: dataset.shape,
    preprocessing: dataset.preprocessing ?? { kind: 'none' },
    metrics: encodeNumbers(metrics),
    data: { digest: datasetDigest },
    kernel: learner.kernel,
    versions,
    ...(code && { code }),
  };
};
