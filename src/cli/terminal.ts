import { stripVTControlCharacters } from 'node:util';
import { masked, maskedWord } from '../system/secrets.ts';
import type { Diagnostic } from '../diagnostic/diagnostic.ts';
import { toGithubAnnotation } from '../diagnostic/github.ts';
import { diagnosticToJson } from '../diagnostic/json.ts';
import { renderDiagnostics } from '../diagnostic/render.ts';
import type { Terminal } from './command.ts';
import { screen } from './screen.ts';

/** The words as a person would type them: quoted where a shell would need it. */
const quoted = (word: string): string =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;

/** Where lines go; the process' own streams by default. */
interface Streams {
  readonly print: (line: string) => void;
  readonly complain: (line: string) => void;
}

/** A line for a stream: where colour is not allowed, whatever was painted for another is taken off. */
const lineFor = (stream: NodeJS.WriteStream, line: string): string =>
  screen(stream).colour || !line.includes('\u001b') ? `${line}\n` : `${stripVTControlCharacters(line)}\n`;

const ownStreams: Streams = {
  print: (line) => void process.stdout.write(lineFor(process.stdout, line)),
  complain: (line) => void process.stderr.write(lineFor(process.stderr, line)),
};

/** After errors: the command that explains their codes. */
const whereToReadMore = (diagnostics: readonly Diagnostic[]): string => {
  const errors = diagnostics.filter(({ severity }) => severity === 'error');
  const codes = [...new Set(errors.map(({ code }) => code))];
  return codes.length === 0 ? '' : `\n\nFor examples: unroll explain ${codes.join(' ')}`;
};

/** The terminal (or pipe) that a command line was typed on. */
export const openTerminal = (argv: readonly string[], streams: Streams = ownStreams): Terminal => {
  const print = (line: string) => streams.print(masked(line));
  const complain = (line: string) => streams.complain(masked(line));
  return {
    print,
    complain,
    report: (diagnostics, { json, format } = {}) => {
      if (format === 'github') for (const one of diagnostics) print(toGithubAnnotation(one));
      else if (json || format === 'json')
        print(JSON.stringify({ diagnostics: diagnostics.map(diagnosticToJson) }, null, 2));
      else if (diagnostics.length > 0)
        complain(`${renderDiagnostics(diagnostics)}${whereToReadMore(diagnostics)}`);
    },
    commandLine: ['unroll', ...argv.map((word) => quoted(maskedWord(word)))].join(' '),
  };
};
