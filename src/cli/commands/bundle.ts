import { statSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import { proposedCommand } from '../../system/proposed-command.ts';
import { formatBytes } from '../../terminal/format.ts';
import { bundleRun } from '../../verify/bundle-run.ts';
import { recordedSubject } from '../../verify/subject.ts';
import type { Execute } from '../command.ts';
import { refusedOutput } from '../output-file.ts';
import { findRun } from '../recorded.ts';

interface Options {
  readonly runsDirectory: string;
  readonly output?: string | undefined;
  readonly force?: boolean | undefined;
  readonly data?: boolean | undefined;
  readonly specDirectory?: string | undefined;
  readonly json?: boolean | undefined;
}

/** `unroll bundle RUN` */
export const execute: Execute<Options> = async (words, options, terminal) => {
  const { runsDirectory, specDirectory, data = false } = options;
  const found = findRun(runsDirectory, words[0] ?? '', 'bundle');
  const subject = found.ok ? recordedSubject(found.value, { runsDirectory, specDirectory }) : found;
  if (!subject.ok) return terminal.refuse(subject.errors, options);
  const { experiment, id } = subject.value.run;
  const output = options.output ?? `${experiment}-${id}.zip`;
  const refused = refusedOutput(output, {
    words: ['bundle', ...words],
    option: '--output',
    force: options.force,
  });
  if (refused.length > 0) return terminal.refuse(refused, options);
  const bundled = await bundleRun(subject.value, { output, data });
  if (!bundled.ok) return terminal.refuse(bundled.errors, options);
  const { size } = statSync(output);
  if (options.json) {
    const file = resolve(output);
    terminal.print(JSON.stringify({ run: id, experiment, file, bytes: size, data: bundled.value }, null, 2));
    return 0;
  }
  terminal.print(`${output} (${formatBytes(size)})${contentNote(bundled.value)}`);
  // Data that is not in it is looked for from the folder of the spec.
  const from = bundled.value === null ? relative('.', subject.value.baseDirectory) || '.' : '.';
  const folder = from === '.' ? [] : ['--spec-directory', from];
  terminal.print(`Verify it with: ${proposedCommand(['verify', output, ...folder])}`);
  return 0;
};

const contentNote = (data: Readonly<Record<string, string>> | null): string => {
  if (data === null) return ', without the data';
  return Object.keys(data).length > 0 ? ', with the data' : '; its dataset reads no files';
};
