import { diagnosticToJson } from '../diagnostic/render.ts';
import { renderDiagnostics } from '../diagnostic/render.ts';
import type { Terminal } from './command.ts';

/** The words as a person would type them: quoted where a shell would need it. */
const quoted = (word: string): string =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;

/** The terminal (or pipe) that this process was started from. */
export const openTerminal = (argv: readonly string[] = process.argv.slice(2)): Terminal => {
  const print = (line: string) => void process.stdout.write(`${line}\n`);
  const complain = (line: string) => void process.stderr.write(`${line}\n`);
  return {
    print,
    complain,
    report: (diagnostics, { json } = {}) => {
      if (json) print(JSON.stringify({ diagnostics: diagnostics.map(diagnosticToJson) }, null, 2));
      else if (diagnostics.length > 0) complain(renderDiagnostics(diagnostics));
    },
    commandLine: ['unroll', ...argv.map(quoted)].join(' '),
  };
};
