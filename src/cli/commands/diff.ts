import { diffRuns, renderDiff } from '../../report/diff.ts';
import { loadRunDetails } from '../../report/run-details.ts';
import type { Execute } from '../command.ts';
import { findRun } from '../recorded.ts';
import { screen } from '../screen.ts';

interface Options {
  readonly runsDirectory: string;
  readonly json?: boolean | undefined;
}

/** `unroll diff RUN OTHER` */
export const execute: Execute<Options> = async (words, options, terminal) => {
  const { runsDirectory } = options;
  const load = async (word = '') => {
    const found = findRun(runsDirectory, word, 'diff');
    return found.ok ? await loadRunDetails(found.value) : found;
  };
  const [one, other] = [await load(words[0]), await load(words[1])];
  if (!one.ok || !other.ok)
    return terminal.refuse(
      [one, other].flatMap((result) => (result.ok ? [] : result.errors)),
      options,
    );
  const diff = diffRuns(one.value, other.value);
  terminal.print(options.json ? JSON.stringify(diff, null, 2) : renderDiff(diff, screen(process.stdout)));
  return 0;
};
