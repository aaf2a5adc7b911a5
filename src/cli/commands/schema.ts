import { join } from 'node:path';
import { nearest } from '../../diagnostic/nearest.ts';
import { loadPlugins } from '../../registry/own/load-plugins.ts';
import { generateSchemas } from '../../language/generate-schemas.ts';
import { writeWhole, readRegularText } from '../../system/files.ts';
import type { Execute } from '../command.ts';
import { commandLineRange } from '../usage.ts';
import { proposedCommand } from '../../system/proposed-command.ts';

interface Options {
  readonly write?: string | undefined;
  readonly check?: string | undefined;
}

/**
 * `unroll schema [NAME]`: prints one; `--write` and `--check` work on a folder with all. The rows of the config in the
 * working directory are in it.
 */
export const execute: Execute<Options> = async (words, options, terminal) => {
  const plugins = await loadPlugins('.');
  if (!plugins.ok) return terminal.refuse(plugins.errors);
  const schemas = generateSchemas(plugins.value.registry);
  const { write, check } = options;
  const [name = 'experiment'] = words;

  if (write !== undefined) {
    for (const [file, text] of Object.entries(schemas)) writeWhole(join(write, file), text);
    return 0;
  }
  if (check !== undefined) {
    const stale = Object.entries(schemas).filter(([file, text]) => readOr(join(check, file)) !== text);
    for (const [file] of stale)
      terminal.complain(`${join(check, file)} does not match the registries. Run: npm run schema`);
    return stale.length === 0 ? 0 : 1;
  }
  const text = schemas[`${name}.schema.json`];
  if (text !== undefined) {
    terminal.print(text.trimEnd());
    return 0;
  }
  const names = Object.keys(schemas).map((file) => file.replace('.schema.json', ''));
  const near = nearest(name, names);
  terminal.report([
    {
      code: 'unknown-name',
      severity: 'error',
      message: `There is no schema "${name}".`,
      at: commandLineRange(['schema', name], name),
      expected: names.join(', '),
      ...(near && { nearest: near }),
      help: `\`${proposedCommand(['schema'])}\` prints that of a spec.`,
    },
  ]);
  return 2;
};

const readOr = (path: string): string | undefined => {
  try {
    return readRegularText(path);
  } catch {
    return undefined;
  }
};
