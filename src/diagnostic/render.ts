import { widthOf } from '../terminal/width.ts';
import { createColours } from '../terminal/colours.ts';
import { safeLine, safeSource } from '../terminal/safe-text.ts';
import type { Diagnostic, SourceRange } from './diagnostic.ts';
import { bounded, mostPrinted, omittedLine, selectDiagnostics } from './most.ts';
import { positionOf } from './position.ts';

const pc = createColours();

const severityColour = { error: pc.red, warning: pc.yellow, notice: pc.cyan } as const;

const frameWidth = 100;

/** The source line with the range underlined; long lines are cut around the range. Nothing for a file without content. */
const codeFrame = ({ source, start, end }: SourceRange, paint: (text: string) => string): string[] => {
  if (source.text === '') return [];
  const { line, column, lineStart } = positionOf(source.text, start);
  const newline = source.text.indexOf('\n', lineStart);
  const whole = source.text.slice(lineStart, newline === -1 ? undefined : newline).replace(/\r$/, '');
  const cutAt = withoutHalves(whole, column > frameWidth - 20 ? column - 40 : 0);
  const shown = safeSource(whole.slice(cutAt, withoutHalves(whole, cutAt + frameWidth)));
  const before = safeSource(whole.slice(cutAt, column - 1));
  const marked = safeSource(whole.slice(column - 1, Math.min(end - lineStart, cutAt + frameWidth)));
  const underline = ' '.repeat(widthOf(before)) + paint('~'.repeat(Math.max(1, widthOf(marked))));
  const gutter = String(line);
  return [
    `  ${pc.dim(`${gutter} |`)} ${shown}`,
    `  ${pc.dim(`${' '.repeat(gutter.length)} |`)} ${underline}`,
  ];
};

/** An offset that does not cut a character of two UTF-16 units. */
const withoutHalves = (text: string, at: number): number =>
  /[\ud800-\udbff]/.test(text.charAt(at - 1)) ? at - 1 : at;

const place = ({ source, start }: SourceRange): string => {
  const { line, column } = positionOf(source.text, start);
  return `${safeLine(source.name)}:${line}:${column}`;
};

/** A message of several lines has the further ones indented; any other line break is foreign text. */
const safeMessage = (message: string): string =>
  bounded(message)
    .split(/\n(?= {2})/)
    .map(safeLine)
    .join('\n');

/** One diagnostic as lines of text: place, severity, code, sentence, code frame, expected/got/nearest, help. */
export const renderDiagnostic = (diagnostic: Diagnostic): string => {
  const paint = severityColour[diagnostic.severity];
  const head = [
    diagnostic.at && pc.bold(place(diagnostic.at)),
    paint(diagnostic.severity),
    pc.dim(`[${diagnostic.code}]`),
    safeMessage(diagnostic.message),
  ];
  const lines = [head.filter(Boolean).join(' ')];
  if (diagnostic.at) lines.push(...codeFrame(diagnostic.at, paint));
  if (diagnostic.expected) lines.push(`  expected: ${safeLine(bounded(diagnostic.expected))}`);
  if (diagnostic.got) lines.push(`  got:      ${safeLine(bounded(diagnostic.got))}`);
  if (diagnostic.nearest) lines.push(`  nearest:  ${pc.green(safeLine(bounded(diagnostic.nearest)))}`);
  for (const related of diagnostic.related ?? []) {
    lines.push(`  ${place(related.at)} ${safeLine(related.message)}`);
    lines.push(...codeFrame(related.at, pc.cyan).map((line) => `  ${line}`));
  }
  if (diagnostic.help) lines.push(`  help:     ${safeLine(bounded(diagnostic.help))}`);
  return lines.join('\n');
};

/** The diagnostics in the order of their places, with an empty line between them: of each code, the first and a count. */
export const renderDiagnostics = (diagnostics: readonly Diagnostic[]): string => {
  const { shown, omitted } = selectDiagnostics(diagnostics, mostPrinted);
  return [...shown.map(renderDiagnostic), ...omitted.map(omittedLine)].join('\n\n');
};
