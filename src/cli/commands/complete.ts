import { loadPlugins } from '../../registry/own/load-plugins.ts';
import { registry as builtIn } from '../../registry/rows.ts';
import type { Execute } from '../command.ts';
import { commands } from '../commands.ts';
import { complete } from '../completion/complete.ts';

/** `unroll complete -- WORDS...`: what the last word may be, a line each, for the scripts of shells. */
export const execute: Execute = async (words, _options, terminal) => {
  const plugins = await loadPlugins('.');
  // Somebody who is typing is told nothing of a broken config; the command itself will say it.
  const registry = plugins.ok ? plugins.value.registry : builtIn;
  for (const { value, description } of complete(words, { commands, registry }))
    terminal.print(description === undefined ? value : `${value}\t${description.split('\n')[0] ?? ''}`);
  return 0;
};
