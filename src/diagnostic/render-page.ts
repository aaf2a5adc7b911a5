import { createColours } from '../terminal/colours.ts';
import { diagnosticCodes, type DiagnosticCode } from './codes.ts';
import type { Example } from './pages/page.ts';
import { pages } from './pages/pages.ts';
import { wrap } from '../terminal/wrap.ts';

const pc = createColours();

const indented = (text: string): string => text.replace(/^(?=.)/gm, '    ');

/** The page of a code for a terminal of `width` columns. */
export const renderPage = (code: DiagnosticCode, width: number): string => {
  const { why, examples } = pages[code];
  const lines = [`${pc.bold(code)}: ${diagnosticCodes[code]}`, '', ...wrap(why, Math.min(width, 100))];
  for (const example of examples) {
    lines.push('', pc.red('wrong:'), '');
    if (example.kind === 'command' && example.before) lines.push(indented(pc.dim(`# ${example.before}`)));
    lines.push(indented(example.wrong), '', pc.green('right:'), '', indented(example.right));
  }
  return lines.join('\n');
};

/** The code between fences; `before` as a comment, which both YAML and shells have. */
const fenced = (example: Example, form: 'wrong' | 'right'): string => {
  const comment = form === 'wrong' && example.kind === 'command' && example.before;
  const language = example.kind === 'spec' ? 'yaml' : 'sh';
  return ['```' + language, ...(comment ? [`# ${comment}`] : []), example[form], '```'].join('\n');
};

/** The page of a code as Markdown. */
export const pageToMarkdown = (code: DiagnosticCode): string => {
  const { why, examples } = pages[code];
  const shown = examples.map(
    (example) => `Wrong:\n\n${fenced(example, 'wrong')}\n\nRight:\n\n${fenced(example, 'right')}\n`,
  );
  return [`# ${code}\n`, `${diagnosticCodes[code]}\n`, `${why}\n`, ...shown].join('\n');
};
