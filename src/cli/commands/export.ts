import { exportModel } from '../../export/export-model.ts';
import type { ExportFormat } from '../../export/formats.ts';
import { writeExport } from '../../export/write-export.ts';
import { formatBytes } from '../../terminal/format.ts';
import type { Execute } from '../command.ts';
import { openNamedModel } from '../../prediction/open-named-model.ts';

interface Options {
  readonly runsDirectory: string;
  readonly format: ExportFormat;
  readonly output: string;
  readonly force?: boolean | undefined;
  readonly json?: boolean | undefined;
}

const words = { option: '--output', force: '--force' };

/** `unroll export MODEL` */
export const execute: Execute<Options> = async ([reference = ''], options, terminal) => {
  const { format, output, force = false, json } = options;
  const model = await openNamedModel(reference, { ...options, complain: terminal.complain });
  const files = model.ok ? exportModel(model.value, format) : model;
  const written = files.ok ? writeExport(files.value, { output, force, words }) : files;
  if (!written.ok) return terminal.refuse(written.errors, { json });
  if (json) terminal.print(JSON.stringify({ format, files: written.value }, null, 2));
  else for (const { path, bytes } of written.value) terminal.print(`${path}  ${formatBytes(bytes)}`);
  return 0;
};
