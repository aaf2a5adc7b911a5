import type { Execute } from '../command.ts';
import { commands } from '../commands.ts';
import { complete } from '../completion/complete.ts';

/** `unroll complete -- WORDS...`: what may stand in place of the last word, a line each, for the scripts of shells. */
export const execute: Execute = (words, _options, terminal) => {
  for (const { value, description } of complete(words, commands))
    terminal.print(description === undefined ? value : `${value}\t${description.split('\n')[0] ?? ''}`);
  return Promise.resolve(0);
};
