import { loadPlugins } from '../../registry/own/load-plugins.ts';
import { registry as builtIn } from '../../registry/rows.ts';
import type { CommandRow, Execute } from '../command.ts';
import { complete, type Candidate } from '../completion/complete.ts';

/** `unroll complete -- WORDS...`: what the last word may be, a line each, for the scripts of shells. */
export const completeFrom =
  (commands: readonly CommandRow[]): Execute =>
  async (words, _options, terminal) => {
    for (const { value, description } of await offered(words, commands))
      terminal.print(description === undefined ? value : `${value}\t${description.split('\n')[0] ?? ''}`);
    return 0;
  };

/** The user's own entries are compiled only for words that can be entries: nobody waits for them at a run's id. */
const offered = async (
  words: readonly string[],
  commands: readonly CommandRow[],
): Promise<readonly Candidate[]> => {
  const registry = { isUsed: false };
  const found = complete(words, {
    commands,
    get registry() {
      registry.isUsed = true;
      return builtIn;
    },
  });
  if (!registry.isUsed) return found;
  const plugins = await loadPlugins('.');
  // Completion prints no diagnostics of a broken config; the command itself will.
  return plugins.ok ? complete(words, { commands, registry: plugins.value.registry }) : found;
};
