import { masked, maskedWord } from '../system/secrets.ts';
import type { Diagnostic } from '../diagnostic/diagnostic.ts';
import { toGithubAnnotations } from '../diagnostic/github.ts';
import { diagnosticsToJson } from '../diagnostic/json.ts';
import { renderDiagnostics } from '../diagnostic/render.ts';
import type { Terminal } from './command.ts';
import { writeData, writeText } from '../terminal/output.ts';
import { proposedCommand, shellWord } from '../system/proposed-command.ts';

/** Where lines go; the process' own streams by default. */
interface Streams {
  readonly print: (line: string) => void;
  readonly complain: (line: string) => void;
  /** Printed as lines where it is not given. */
  readonly data?: (text: string) => void;
}

const ownStreams: Streams = {
  print: (line) => writeText(process.stdout, `${line}\n`),
  complain: (line) => writeText(process.stderr, `${line}\n`),
  data: (text) => writeData(process.stdout, text),
};

/** After errors: the command that explains their codes. */
const whereToReadMore = (diagnostics: readonly Diagnostic[]): string => {
  const errors = diagnostics.filter(({ severity }) => severity === 'error');
  const codes = [...new Set(errors.map(({ code }) => code))];
  return codes.length === 0 ? '' : `\n\nFor examples: ${proposedCommand(['explain', ...codes])}`;
};

/** The terminal (or pipe) that a command line was typed on. */
export const openTerminal = (argv: readonly string[], streams: Streams = ownStreams): Terminal => {
  const print = (line: string) => streams.print(masked(line));
  const complain = (line: string) => streams.complain(masked(line));
  const report: Terminal['report'] = (diagnostics, { json, format } = {}) => {
    if (format === 'github') for (const line of toGithubAnnotations(diagnostics)) print(line);
    else if (json || format === 'json') print(JSON.stringify(diagnosticsToJson(diagnostics), null, 2));
    else if (diagnostics.length > 0)
      complain(`${renderDiagnostics(diagnostics)}${whereToReadMore(diagnostics)}`);
  };
  return {
    print,
    complain,
    data: (text) => (streams.data ?? streams.print)(masked(text)),
    report,
    refuse: (...given) => {
      report(...given);
      return 2;
    },
    commandLine: ['unroll', ...argv.map((word) => shellWord(maskedWord(word)))].join(' '),
  };
};
