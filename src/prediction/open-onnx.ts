import { hash } from 'node:crypto';

import { dirname, join } from 'node:path';
import { failure, success, type Diagnostic, type Result } from '../diagnostic/diagnostic.ts';
import { readOnnx, type OnnxContent, type OnnxReading } from '../export/onnx/read-onnx.ts';
import { modelFileNames, parseVocabulary } from '../record/run-files.ts';
import { cacheFolder } from '../system/cache-folder.ts';
import { writeWhole, ensureFolder } from '../system/files.ts';
import { parseJson } from '../system/json.ts';
import { proposedCommand } from '../system/proposed-command.ts';
import { broken, parsedModelFile, type OpenModel } from './model-file.ts';

/** Opens a `model.onnx` that Unroll wrote, which holds all that the folder of the model has. */
export const openOnnx = (path: string): Result<OpenModel> => {
  let read: OnnxReading;
  try {
    read = readOnnx(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return failure({
      code: 'file-missing',
      severity: 'error',
      message: `There is no file ${path}.`,
      expected: 'a model.onnx that Unroll wrote',
      help: `\`${proposedCommand(['ls'])}\` lists the runs, each of which can be named by its id instead.`,
    });
  }
  if (!('content' in read)) return failure(refusal(path, read));
  const { model, vocabulary, tokenizer, weights } = read.content;
  const file = parsedModelFile(parseJson(model), path);
  if (!file.ok) return file;
  const tokens = vocabulary === undefined ? undefined : parseVocabulary(parseJson(vocabulary))?.tokens;
  if (vocabulary !== undefined && !tokens)
    return failure(broken(`${path} has no usable vocabulary.`, 'the model.onnx that a training wrote'));
  return success({
    file: file.value,
    weights,
    ...(tokens && { vocabulary: tokens }),
    directory: tokenizer === undefined ? dirname(path) : unpacked(tokenizer),
    onnx: path,
  });
};

/** A folder with the tokenizer, which is read from a file. */
const unpacked = (tokenizer: NonNullable<OnnxContent['tokenizer']>): string => {
  const folder = join(cacheFolder(), 'tokenizers', hash('sha256', tokenizer, 'hex').slice(0, 32));
  ensureFolder(folder);
  writeWhole(join(folder, modelFileNames.tokenizer), tokenizer, 'later');
  return folder;
};

const refusal = (path: string, read: Exclude<OnnxReading, { readonly content: unknown }>): Diagnostic => {
  if ('damaged' in read)
    return broken(
      `${path} cannot be read as an ONNX file: ${read.damaged}.`,
      'a model.onnx that Unroll wrote',
    );
  if ('foreign' in read)
    return {
      code: 'unsupported-version',
      severity: 'error',
      message: `${path} is not a model of Unroll: it was written by ${read.foreign || 'another program'}.`,
      expected: 'a model.onnx that Unroll wrote, with `unroll.model` in its metadata',
      help: 'Run it with ONNX Runtime, or name a run of Unroll.',
    };
  return {
    code: 'unsupported-version',
    severity: 'error',
    message: `${path} does not contain the weights of its network: ${read.withoutWeights}.`,
    expected: 'a model.onnx that this version of Unroll wrote',
    help: `Name the run, or its folder with model.json and weights.safetensors. \`${proposedCommand(['export'])}\` writes a new file of a built-in model.`,
  };
};
