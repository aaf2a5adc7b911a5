import { success, failed, type Result } from '../../diagnostic/diagnostic.ts';
import { findInput } from '../../prediction/find-input.ts';
import type { InputKind, OutputFormat } from '../../prediction/formats.ts';
import type { OpenModel } from '../../prediction/open-model.ts';
import { predictFiles } from '../../prediction/predict.ts';
import { registryFor } from '../../prediction/registry.ts';
import { fileRows, textRows, type RowOutput } from '../../prediction/write-rows.ts';
import type { Execute, Terminal } from '../command.ts';
import { openNamedModel } from '../../prediction/open-named-model.ts';
import { refusedOutput } from '../output-file.ts';
import { warnOfSlowModel } from '../slow-model.ts';
import type { ModelPlace } from '../../mlflow/sync/registered-folder.ts';

interface Options {
  readonly runsDirectory: string;
  readonly input: string;
  readonly inputFormat?: InputKind | undefined;
  readonly output?: string | undefined;
  readonly force?: boolean | undefined;
  readonly format?: OutputFormat | undefined;
  readonly horizon?: number | undefined;
  readonly ensemble?: boolean | undefined;
}

/** `unroll predict MODEL... --input FILE` */
export const execute: Execute<Options> = async (words, options, terminal) => {
  const { runsDirectory, output, force, horizon } = options;
  const refused = refusedOutput(output, { words: ['predict', ...words], option: '--output', force });
  if (refused.length > 0) return terminal.refuse(refused);
  const models = await openModels(words, { runsDirectory, complain: terminal.complain });
  if (!models.ok) return terminal.refuse(models.errors);
  if (models.value.length > 1 && options.ensemble !== true)
    return terminal.refuse([
      {
        code: 'bad-argument',
        severity: 'error',
        message: `Several models are named: ${words.join(', ')}.`,
        expected: 'one model, or --ensemble',
        help: 'Add --ensemble to average their predictions, or name one of them.',
      },
    ]);
  const registry = await registryFor(models.value, process.cwd());
  const input = await findInput(options.input, { stream: process.stdin, parameter: 'input' });
  if (!registry.ok || !input.ok)
    return terminal.refuse([registry, input].flatMap((one) => (one.ok ? [] : one.errors)));
  const format = options.format ?? formatOf(output);
  if (output === undefined && format === 'parquet')
    return terminal.refuse([
      {
        code: 'bad-argument',
        severity: 'error',
        message: 'Parquet is not written to the terminal.',
        expected: 'a file with --output',
        help: 'Write for example `--output predictions.parquet`.',
      },
    ]);
  warnOfSlowModel(terminal);
  const rows =
    output === undefined
      ? textRows(format as 'csv' | 'jsonl', terminal.data)
      : await fileRows(output, format);
  try {
    const { files } = input.value;
    const given = { files, registry: registry.value, kind: options.inputFormat, horizon };
    return await writeAll(rows, terminal, () => predictFiles(models.value, given, rows.add));
  } finally {
    input.value.close();
  }
};

const openModels = async (
  references: readonly string[],
  place: ModelPlace,
): Promise<Result<readonly OpenModel[]>> => {
  const opened = await Promise.all(references.map((reference) => openNamedModel(reference, place)));
  const errors = opened.flatMap((one) => (one.ok ? [] : one.errors));
  if (errors.length > 0) return failed(errors);
  return success(opened.flatMap((one) => (one.ok ? [one.value] : [])));
};

const formatOf = (output: string | undefined): OutputFormat => {
  if (output?.endsWith('.parquet') === true) return 'parquet';
  return output !== undefined && /\.(jsonl|ndjson)$/.test(output) ? 'jsonl' : 'csv';
};

const writeAll = async (
  rows: RowOutput,
  terminal: Terminal,
  predict: () => Promise<Result<undefined>>,
): Promise<0 | 2> => {
  try {
    const done = await predict();
    if (!done.ok) {
      rows.abandon();
      return terminal.refuse(done.errors);
    }
    await rows.finish();
    return 0;
  } catch (error) {
    rows.abandon();
    throw error;
  }
};
