import { existsSync } from 'node:fs';
import type { Diagnostic } from '../../diagnostic/diagnostic.ts';
import { nearest } from '../../diagnostic/nearest.ts';
import { configNames } from '../../registry/own/find-config.ts';
import { metrics } from '../../metrics/metrics.ts';
import { registry } from '../../registry/rows.ts';
import { createFiles } from '../../system/files.ts';
import type { Execute } from '../command.ts';
import { configFile, namePattern, newKinds, ownRowFiles, registration } from '../init/own-row.ts';
import { commandLineRange } from '../usage.ts';
import { proposedCommand } from '../../system/proposed-command.ts';

/** `unroll new model|dataset|optimizer|loss|metric NAME`: a module of one's own with a spec and a test, in the folder of the command. */
export const execute: Execute = (words, _options, terminal) => {
  const [written = '', name = ''] = words;
  const kind = newKinds.find((one) => one === written);
  const place = (word: string) => commandLineRange(['new', ...words], word);
  if (!kind) {
    const near = nearest(written, newKinds);
    terminal.report([
      {
        code: 'bad-argument',
        severity: 'error',
        message: `There is no template for "${written}".`,
        at: place(written),
        expected: newKinds.join(', '),
        ...(near !== undefined && { nearest: near }),
        help: `Write for example: ${proposedCommand(['new', 'model', 'my-model'])}`,
      },
    ]);
    return Promise.resolve(2);
  }
  const wrong: Diagnostic[] = [];
  const taken = Object.hasOwn(kind === 'metric' ? metrics : registry[kind], name);
  if (taken || !namePattern.test(name)) {
    wrong.push({
      code: 'bad-argument',
      severity: 'error',
      message: taken
        ? `A ${kind} "${name}" comes with Unroll.`
        : `"${name}" cannot be the name of a ${kind}.`,
      at: place(name),
      expected: 'a new name of small letters, digits and dashes, beginning with a letter',
      help: `Write for example: ${proposedCommand(['new', kind, `my-${kind}`])}`,
    });
  }
  const files = ownRowFiles(kind, name);
  for (const file of Object.keys(files).filter((one) => existsSync(one))) {
    wrong.push({
      code: 'file-exists',
      severity: 'error',
      message: `${file} exists already and is not overwritten.`,
      at: place(name),
      expected: 'a name of which there is no file yet',
      help: 'Choose another name, or remove the file.',
    });
  }
  if (wrong.length > 0) {
    terminal.report(wrong);
    return Promise.resolve(2);
  }
  const config = configNames.find((one) => existsSync(one));
  const created = config ? files : { ...files, 'unroll.config.ts': configFile(kind, name) };
  createFiles(created);
  terminal.print(`${Object.keys(created).join(', ')} are written.`);
  if (config) {
    const { importLine, entry } = registration(kind, name);
    terminal.print(`Register it in ${config}: ${importLine} and ${entry} in defineConfig.`);
  }
  terminal.print(
    `Train it with: ${proposedCommand(['run', `${name}.yaml`])}; test it with: node --test ${name}.test.mjs`,
  );
  return Promise.resolve(0);
};
