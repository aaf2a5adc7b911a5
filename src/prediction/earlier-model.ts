import type { Preprocessing } from '../data/preprocessing.ts';
import { readingSection } from '../data/preprocessing.ts';
import { failure, success, type Result } from '../diagnostic/diagnostic.ts';
import { defaultLoss } from '../losses/loss.ts';
import { presetsOf } from '../parameters/row.ts';
import type { Run } from '../plan/plan.ts';
import type { EarlierModelFile, ModelFile } from '../record/run-files.ts';
import { findRow, registry } from '../registry/rows.ts';
import type { Json } from '../system/json.ts';

/** Facts about a model that are not in its file. */
interface Known {
  /** Undefined where the folder is no longer in the directory of its run. */
  readonly run: Run | undefined;
  readonly hasVocabulary: boolean;
  /** Of the file, for messages. */
  readonly path: string;
}

/** Converts an earlier model file to format 2, if its run shows how the data was preprocessed. */
export const fromEarlierFile = (
  earlier: EarlierModelFile,
  { run, hasVocabulary, path }: Known,
): Result<ModelFile> => {
  const preprocessing = run && preprocessingOf(run, hasVocabulary);
  if (!run || !preprocessing) {
    return failure({
      code: 'unsupported-version',
      severity: 'error',
      message: `${path} was recorded by an earlier version, without ${run ? 'what was done to the data before the network read it' : 'the dataset that it was trained on'}.`,
      expected: 'a model.json of format 2',
      help: `Train the run again${run ? ` (${run.experiment}/${run.id}, with the option --force)` : ''}: it gets the same weights and a complete model.json.`,
    });
  }
  const { name, ...chosen } = earlier.model;
  const { shape } = earlier;
  const row = findRow(registry.model, name);
  const parameters = { ...(row && presetsOf(row)), ...chosen };
  const loss = earlier.loss ?? lossOf(shape.task);
  const quantiles = Array.isArray(loss['quantiles']) ? (loss['quantiles'] as readonly number[]) : undefined;
  const dataset = findRow(registry.dataset, run.config.dataset.name);
  return success({
    format: 2,
    run: { id: run.id, label: run.experiment, experiment: run.experiment, seed: run.seed },
    dataset: readingSection(dataset ?? {}, run.config.dataset),
    model: {
      name,
      parameters: (row?.resolved?.(parameters, { shape }) ?? parameters) as ModelFile['model']['parameters'],
    },
    loss,
    outputsPerTarget: quantiles?.length ?? 1,
    ...(quantiles && { quantiles }),
    shape,
    preprocessing,
    metrics: {},
    data: { digest: run.datasetDigest },
    kernel: '',
    versions: earlier.versions,
    ...(run.code && { code: run.code }),
  });
};

const lossOf = (task: EarlierModelFile['shape']['task']): ModelFile['loss'] => {
  const name = defaultLoss(task);
  const row = findRow(registry.loss, name);
  return { name, ...((row && presetsOf(row)) as Readonly<Record<string, Json>>) };
};

/** What is known without the statistics of the training part; undefined where they are needed. */
const preprocessingOf = (run: Run, hasVocabulary: boolean): Preprocessing | undefined => {
  const { dataset } = run.config;
  if (findRow(registry.dataset, dataset.name) === undefined) return { kind: 'none' };
  switch (dataset.name) {
    case 'mnist-rows':
    case 'mnist-pixels':
    case 'fashion-mnist-rows':
      return { kind: 'pixels', height: 28, width: 28, divide: 255 };
    case 'characters':
      return { kind: 'stream', unknown: null, tokenizer: false };
    case 'text':
      return hasVocabulary && dataset['tokenizer'] === null
        ? { kind: 'stream', unknown: 1, tokenizer: false }
        : undefined;
    case 'csv-text':
    case 'jsonl-text':
    case 'conll':
      return hasVocabulary && (dataset['tokenizer'] ?? null) === null
        ? { kind: 'text', unknown: 1, tokenizer: false, targets: [] }
        : undefined;
    default:
      return findRow(registry.dataset, dataset.name)?.generated === true ? { kind: 'none' } : undefined;
  }
};
