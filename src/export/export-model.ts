import { join } from 'node:path';
import { failure, success, type Diagnostic, type Result } from '../diagnostic/diagnostic.ts';
import { modelFileNames, type ModelFile } from '../record/run-files.ts';
import { tensorBytes } from '../system/safetensors.ts';
import { jsonFileText, readRegular } from '../system/files.ts';
import { toOnnx } from './onnx/to-onnx.ts';
import { pythonModule } from './pytorch/python.ts';
import { stateDictOf } from './pytorch/state-dict.ts';
import type { ExportFormat } from './formats.ts';
import { readmeOf } from './readme.ts';
import { isBuiltInModel, recurrentNetworkOf } from './recurrent-network.ts';
import { toTfjs } from './tfjs/to-tfjs.ts';
import type { Weights } from './trained-model.ts';

/** A file of an export, by its name in the folder of the export. */
export interface ExportedFile {
  readonly name: string;
  readonly content: string | readonly Uint8Array[];
}

/** A trained model as `openModel` gives it. */
export interface ExportedModel {
  readonly file: ModelFile;
  readonly weights: Weights;
  /** The tokens by index, of a network that reads text. */
  readonly vocabulary?: readonly string[];
  /** The folder with `model.json`, and with `tokenizer.json` where there is one. */
  readonly directory: string;
  /** Its `model.onnx`, which a folder may lack. */
  readonly onnx?: string;
}

/** The files of a model in a format, with a README whose code runs. */
export const exportModel = (model: ExportedModel, format: ExportFormat): Result<readonly ExportedFile[]> => {
  const files = filesOf(model, format);
  if ('code' in files) return failure(files);
  const { file } = model;
  const title = `${file.run.label} (${file.model.name}, run ${file.run.id})`;
  return success([
    ...files,
    ...companions(model),
    { name: 'README.md', content: readmeOf(file, format, title) },
  ]);
};

const filesOf = (model: ExportedModel, format: ExportFormat): readonly ExportedFile[] | Diagnostic => {
  const { file, weights } = model;
  switch (format) {
    case 'onnx': {
      const kept = keptOnnx(model);
      if (kept) return [{ name: modelFileNames.onnx, content: kept }];
      const { vocabulary } = model;
      const made = toOnnx(file, weights, { vocabulary, tokenizer: tokenizerOf(model)?.toString() });
      return 'impossible' in made
        ? notExportable(model, format, made.impossible)
        : [{ name: modelFileNames.onnx, content: made.pieces }];
    }
    case 'safetensors':
      return [
        { name: modelFileNames.weights, content: tensorBytes({ tensors: weights, metadata: labelOf(file) }) },
        descriptionOf(file),
      ];
    case 'tfjs': {
      const made = toTfjs(file, weights);
      return made
        ? [
            { name: 'model.json', content: made.json },
            { name: made.weightsName, content: made.weights },
          ]
        : notExportable(model, format);
    }
    case 'pytorch': {
      const network = recurrentNetworkOf(file, weights);
      if (!network) return notExportable(model, format);
      const weightsName = 'model.safetensors';
      const title = `The network of run ${file.run.id} of ${file.run.experiment}`;
      return [
        { name: 'model.py', content: pythonModule(file, network, { title, weightsName }) },
        {
          name: weightsName,
          content: tensorBytes({ tensors: stateDictOf(network), metadata: labelOf(file) }),
        },
        descriptionOf(file),
      ];
    }
  }
};

/** `format: pt` is what other readers of safetensors expect. */
const labelOf = ({ run }: ModelFile) => ({ format: 'pt', run: run.id });

const descriptionOf = (file: ModelFile): ExportedFile => ({
  name: modelFileNames.model,
  content: jsonFileText(file),
});

/** What the training of a model that is not built in has written with the model's own builder. */
const keptOnnx = ({ file, onnx }: ExportedModel): readonly Uint8Array[] | undefined =>
  isBuiltInModel(file.model) || onnx === undefined ? undefined : [readRegular(onnx)];

/** Files that a network of texts needs whatever it is written as. */
const companions = (model: ExportedModel): readonly ExportedFile[] => {
  const { vocabulary } = model;
  const tokenizer = tokenizerOf(model);
  return [
    ...(vocabulary
      ? [{ name: modelFileNames.vocabulary, content: jsonFileText({ tokens: vocabulary }) }]
      : []),
    ...(tokenizer ? [{ name: modelFileNames.tokenizer, content: [tokenizer] }] : []),
  ];
};

const tokenizerOf = ({ file: { preprocessing }, directory }: ExportedModel): Buffer | undefined =>
  'tokenizer' in preprocessing && preprocessing.tokenizer
    ? readRegular(join(directory, modelFileNames.tokenizer))
    : undefined;

const notExportable = (
  { file }: ExportedModel,
  format: ExportFormat,
  reason = `The model ${file.model.name} is not built in, so Unroll does not know how to write it as ${format}.`,
): Diagnostic => ({
  code: 'not-exportable',
  severity: 'error',
  message: reason,
  expected:
    format === 'onnx' ? 'a built-in model, or one that has `onnx` in defineModel' : 'a built-in model',
  help: 'Export its weights with `--format safetensors`.',
});
