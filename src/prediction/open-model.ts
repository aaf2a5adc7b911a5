import { existsSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { failed, failure, success, type Diagnostic, type Result } from '../diagnostic/diagnostic.ts';
import type { Run } from '../plan/plan.ts';
import { parseRun } from '../record/parse-run-files.ts';
import {
  earlierModelFileParser,
  fileNames,
  modelFileNames,
  parseVocabulary,
  type ModelFile,
} from '../record/run-files.ts';
import { readTensors } from '../system/safetensors.ts';
import { resumeWords } from '../record/run-state.ts';
import { variablesIn } from '../record/starting-weights.ts';
import { referredRun } from '../report/best-run.ts';
import { readJson, readJsonIfWhole, readRegularText } from '../system/files.ts';
import { proposedCommand } from '../system/proposed-command.ts';
import { interruptionOf } from '../system/system-error.ts';
import { fromEarlierFile } from './earlier-model.ts';
import { broken, parsedModelFile, type OpenModel } from './model-file.ts';
import { openOnnx } from './open-onnx.ts';

export type { OpenModel } from './model-file.ts';

/**
 * Opens the model that a reference names: the beginning of a run's id, `best:EXPERIMENT`, the directory of a run, a folder
 * with `model.json`, or a `model.onnx`.
 */
export const openModel = (
  reference: string,
  { runsDirectory }: { readonly runsDirectory: string },
): Result<OpenModel> => {
  if (/\.onnx$/i.test(reference) || statSync(reference, { throwIfNoEntry: false })?.isFile() === true)
    return openOnnx(reference);
  const folder = folderOf(reference, runsDirectory);
  return folder.ok ? openFolder(folder.value, reference) : folder;
};

const folderOf = (reference: string, runsDirectory: string): Result<string> => {
  const path = reference.replace(/\/+$/, '');
  if (existsSync(join(path, modelFileNames.model))) return success(path);
  const run = referredRun(reference, runsDirectory);
  if (!run.ok) return failed(run.errors.map(namingModels));
  const { directory, run: found, state } = run.value;
  const folder = join(directory, fileNames.model);
  // Throws where it may not be read: it is not missing.
  if (statSync(join(folder, modelFileNames.model), { throwIfNoEntry: false })) return success(folder);
  return failure({
    code: 'unknown-run',
    severity: 'error',
    message: `The run ${found.experiment}/${found.id} has no model: it is ${state}.`,
    expected: 'a run that is done',
    help: `Train it to its end with \`${proposedCommand(resumeWords(found.experiment, state), runsDirectory)}\`, or name another run.`,
  });
};

const namingModels = (error: Diagnostic): Diagnostic =>
  error.code === 'unknown-run' && error.expected?.startsWith('the beginning of') === true
    ? {
        ...error,
        expected:
          "the beginning of a run's id, best:EXPERIMENT, or the path of a folder with model.json or of a model.onnx",
      }
    : error;

const openFolder = (directory: string, reference: string): Result<OpenModel> => {
  const file = readModelFile(directory);
  if (!file.ok) return file;
  try {
    const { tensors } = readTensors(join(directory, modelFileNames.weights));
    const weights = new Map(variablesIn(tensors).map(({ name, tensor }) => [name, tensor]));
    const vocabulary = readJsonIfWhole(join(directory, modelFileNames.vocabulary), parseVocabulary)?.tokens;
    const onnx = join(directory, modelFileNames.onnx);
    return success({
      file: file.value,
      weights,
      ...(vocabulary && { vocabulary }),
      directory,
      ...(existsSync(onnx) && { onnx }),
    });
  } catch (error) {
    if (interruptionOf(error)) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    return failure(
      broken(
        `The weights of ${reference} cannot be read: ${reason}.`,
        'a whole safetensors file of float32 tensors',
      ),
    );
  }
};

const readModelFile = (directory: string): Result<ModelFile> => {
  const path = join(directory, modelFileNames.model);
  let content: unknown;
  try {
    content = readJson(path);
  } catch (error) {
    if (interruptionOf(error)) throw error;
    return failure(broken(`${path} is not whole JSON.`, 'the model.json that a training wrote'));
  }
  const { format } = (content ?? {}) as { readonly format?: unknown };
  const earlier = format === undefined ? earlierModelFileParser(content) : undefined;
  if (earlier) {
    const hasVocabulary = existsSync(join(directory, modelFileNames.vocabulary));
    return fromEarlierFile(earlier, { run: runOf(directory), hasVocabulary, path });
  }
  return parsedModelFile(content, path);
};

/** The run whose directory a folder of a model is in. */
const runOf = (directory: string): Run | undefined => {
  const path = join(dirname(directory), fileNames.run);
  if (basename(directory) !== fileNames.model || !existsSync(path)) return undefined;
  const run = parseRun(path, readRegularText(path));
  return run.ok ? run.value : undefined;
};
