import { createColours } from '../../terminal/colours.ts';
import { diagnosticCodes, type DiagnosticCode } from '../../diagnostic/codes.ts';
import type { Diagnostic } from '../../diagnostic/diagnostic.ts';
import { nearest } from '../../diagnostic/nearest.ts';
import { renderPage } from '../../diagnostic/render-page.ts';
import type { Execute } from '../command.ts';
import { textWidth } from '../../terminal/wrap.ts';
import { screen } from '../screen.ts';
import { commandLineRange } from '../usage.ts';
import { proposedCommand } from '../../system/proposed-command.ts';

const codes = Object.keys(diagnosticCodes);

const isCode = (word: string): word is DiagnosticCode => Object.hasOwn(diagnosticCodes, word);

/** `unroll explain [CODE...]`: the pages of codes, or the list of all. */
export const execute: Execute = (words, _options, terminal) => {
  // Messages show a code in brackets, and people copy it with them.
  const wanted = words.map((word) => word.replace(/^\[(.*)\]$/, '$1'));
  const unknown = wanted.filter((word) => !isCode(word));
  if (unknown.length > 0) {
    terminal.report(unknown.map((word) => unknownCode(word, words)));
    return Promise.resolve(2);
  }
  if (wanted.length === 0) {
    const width = Math.max(...codes.map((code) => code.length));
    for (const [code, summary] of Object.entries(diagnosticCodes))
      terminal.print(`${createColours().bold(code.padEnd(width))}  ${summary}`);
    return Promise.resolve(0);
  }
  const width = textWidth(screen(process.stdout).width);
  terminal.print(
    wanted
      .filter(isCode)
      .map((code) => renderPage(code, width))
      .join('\n\n'),
  );
  return Promise.resolve(0);
};

const unknownCode = (word: string, words: readonly string[]): Diagnostic => {
  const near = nearest(word, codes);
  return {
    code: 'unknown-name',
    severity: 'error',
    message: `There is no code "${word}".`,
    at: commandLineRange(['explain', ...words], word),
    expected: 'a code as messages show it in brackets, such as unknown-key',
    ...(near !== undefined && { nearest: near }),
    help: `\`${proposedCommand(['explain'])}\` lists them all.`,
  };
};
