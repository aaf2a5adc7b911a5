import { loadPlugins } from '../../registry/own/load-plugins.ts';
import { registry as builtIn } from '../../registry/rows.ts';
import type { CommandRow, Execute } from '../command.ts';
import { complete } from '../completion/complete.ts';

/** `unroll complete -- WORDS...`: what the last word may be, a line each, for the scripts of shells. */
export const completeFrom =
  (commands: readonly CommandRow[]): Execute =>
  async (words, _options, terminal) => {
    const plugins = await loadPlugins('.');
    // Completion prints no diagnostics of a broken config; the command itself will.
    const registry = plugins.ok ? plugins.value.registry : builtIn;
    for (const { value, description } of complete(words, { commands, registry }))
      terminal.print(description === undefined ? value : `${value}\t${description.split('\n')[0] ?? ''}`);
    return 0;
  };
