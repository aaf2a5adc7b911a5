import pc from 'picocolors';
import stringWidth from 'string-width';
import type { Diagnostic, SourceRange } from './diagnostic.ts';
import { positionOf } from './position.ts';

const severityColour = { error: pc.red, warning: pc.yellow, notice: pc.cyan } as const;

const frameWidth = 100;

/** The source line with the range underlined; long lines are cut around the range. Nothing of a file without a text. */
const codeFrame = ({ source, start, end }: SourceRange, paint: (text: string) => string): string[] => {
  if (source.text === '') return [];
  const { line, column, lineStart } = positionOf(source.text, start);
  const newline = source.text.indexOf('\n', lineStart);
  const whole = source.text.slice(lineStart, newline === -1 ? undefined : newline).replace(/\r$/, '');
  const cutAt = column > frameWidth - 20 ? column - 40 : 0;
  // Control characters would move the cursor and break the underline.

  const visible = (text: string) => text.replace(/\t/g, ' ').replace(/[\x00-\x1f\x7f]/g, '\u00b7');
  const shown = visible(whole.slice(cutAt, cutAt + frameWidth));
  const before = visible(whole.slice(cutAt, column - 1));
  const marked = visible(whole.slice(column - 1, Math.min(end - lineStart, cutAt + frameWidth)));
  const underline = ' '.repeat(stringWidth(before)) + paint('~'.repeat(Math.max(1, stringWidth(marked))));
  const gutter = String(line);
  return [
    `  ${pc.dim(`${gutter} |`)} ${shown}`,
    `  ${pc.dim(`${' '.repeat(gutter.length)} |`)} ${underline}`,
  ];
};

const place = ({ source, start }: SourceRange): string => {
  const { line, column } = positionOf(source.text, start);
  return `${source.name}:${line}:${column}`;
};

/** One diagnostic as lines of text: place, severity, code, sentence, code frame, expected/got/nearest, help. */
export const renderDiagnostic = (diagnostic: Diagnostic): string => {
  const paint = severityColour[diagnostic.severity];
  const head = [
    diagnostic.at && pc.bold(place(diagnostic.at)),
    paint(diagnostic.severity),
    pc.dim(`[${diagnostic.code}]`),
    diagnostic.message,
  ];
  const lines = [head.filter(Boolean).join(' ')];
  if (diagnostic.at) lines.push(...codeFrame(diagnostic.at, paint));
  if (diagnostic.expected) lines.push(`  expected: ${diagnostic.expected}`);
  if (diagnostic.got) lines.push(`  got:      ${diagnostic.got}`);
  if (diagnostic.nearest) lines.push(`  nearest:  ${pc.green(diagnostic.nearest)}`);
  for (const related of diagnostic.related ?? []) {
    lines.push(`  ${place(related.at)} ${related.message}`);
    lines.push(...codeFrame(related.at, pc.cyan).map((line) => `  ${line}`));
  }
  if (diagnostic.help) lines.push(`  help:     ${diagnostic.help}`);
  return lines.join('\n');
};

/** All diagnostics, in the order of their places, with an empty line between them. */
export const renderDiagnostics = (diagnostics: readonly Diagnostic[]): string =>
  [...diagnostics]
    .sort(
      (a, b) =>
        (a.at?.source.name ?? '').localeCompare(b.at?.source.name ?? '') ||
        (a.at?.start ?? 0) - (b.at?.start ?? 0),
    )
    .map(renderDiagnostic)
    .join('\n\n');
