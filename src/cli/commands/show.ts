import { loadRunDetails, runDetailsToJson } from '../../report/run-details.ts';
import { renderRun } from '../../report/show.ts';
import type { Execute } from '../command.ts';
import { findRun } from '../recorded.ts';
import { screen } from '../screen.ts';

interface Options {
  readonly runsDirectory: string;
  readonly json?: boolean | undefined;
}

/** `unroll show RUN` */
export const execute: Execute<Options> = async (words, options, terminal) => {
  const found = findRun(options.runsDirectory, words[0] ?? '', 'show');
  const details = found.ok ? await loadRunDetails(found.value) : found;
  if (!details.ok) return terminal.refuse(details.errors, options);
  if (options.json) terminal.print(JSON.stringify(runDetailsToJson(details.value), null, 2));
  else terminal.print(renderRun(details.value, screen(process.stdout)));
  if (!options.json) terminal.report(details.notices);
  return 0;
};
