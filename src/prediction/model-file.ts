import { failure, success, type Diagnostic, type Result } from '../diagnostic/diagnostic.ts';
import type { ExportedModel } from '../export/export-model.ts';
import { earlierModelFileParser, modelFileParser, type ModelFile } from '../record/run-files.ts';
import { noUsable } from '../record/parse-run-files.ts';

/** A trained network with what is needed to use it on other data. */
export type OpenModel = ExportedModel;

/** A model that cannot be read. */
export const broken = (message: string, expected: string): Diagnostic => ({
  code: 'damaged-record',
  severity: 'error',
  message,
  expected,
  help: 'Copy the folder again, or train the run again with the option --force.',
});

/** What `model.json` holds, in a file that is named. */
export const parsedModelFile = (content: unknown, path: string): Result<ModelFile> => {
  const file = modelFileParser(content);
  if (file) return success(file);
  const { format } = (content ?? {}) as { readonly format?: unknown };
  if (typeof format === 'number' && format > 2) {
    return failure({
      code: 'unsupported-version',
      severity: 'error',
      message: `${path} was written by a later version of Unroll, in format ${format}.`,
      expected: 'format 2',
      help: 'Use the version of Unroll that trained the model.',
    });
  }
  const wrong = (format === undefined ? earlierModelFileParser : modelFileParser).firstWrong(content) ?? [];
  return failure(broken(`${path} ${noUsable(wrong)}.`, 'the model.json that a training wrote'));
};
