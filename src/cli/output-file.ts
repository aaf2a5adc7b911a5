import type { Diagnostic } from '../diagnostic/diagnostic.ts';
import { takenFile } from '../diagnostic/taken-file.ts';
import { commandLineRange } from './usage.ts';

/** Why the file that an option of a command names is not written; nothing where the option is not given. */
export const refusedOutput = (
  path: string | undefined,
  {
    words,
    option,
    force = false,
  }: { readonly words: readonly string[]; readonly option: string; readonly force?: boolean | undefined },
): readonly Diagnostic[] => {
  if (path === undefined) return [];
  const at = commandLineRange([...words, option, path], path);
  const taken = takenFile(path, force, { option, force: '--force', at });
  return taken ? [taken] : [];
};
