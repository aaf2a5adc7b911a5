import { diagnosticToJson, renderDiagnostics } from '../diagnostic/render.ts';
import type { Terminal } from './command.ts';

/** The words as a person would type them: quoted where a shell would need it. */
const quoted = (word: string): string =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;

/** Where lines go; the process' own streams by default. */
interface Streams {
  readonly print: (line: string) => void;
  readonly complain: (line: string) => void;
}

const ownStreams: Streams = {
  print: (line) => void process.stdout.write(`${line}\n`),
  complain: (line) => void process.stderr.write(`${line}\n`),
};

/** The terminal (or pipe) that a command line was typed on. */
export const openTerminal = (
  argv: readonly string[],
  { print, complain }: Streams = ownStreams,
): Terminal => ({
  print,
  complain,
  report: (diagnostics, { json } = {}) => {
    if (json) print(JSON.stringify({ diagnostics: diagnostics.map(diagnosticToJson) }, null, 2));
    else if (diagnostics.length > 0) complain(renderDiagnostics(diagnostics));
  },
  commandLine: ['unroll', ...argv.map(quoted)].join(' '),
});
