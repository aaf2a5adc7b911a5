import type { Diagnostic } from './diagnostic.ts';
import { bounded, mostPrinted, omittedLine, selectDiagnostics } from './most.ts';
import { positionOf } from './position.ts';

const escapeData = (text: string) =>
  text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');

const escapeProperty = (text: string) => escapeData(text).replaceAll(':', '%3A').replaceAll(',', '%2C');

/**
 * The line by which a job of GitHub Actions (and of Gitea and Forgejo) marks a place of a file:
 * `::error file=..,line=..,col=..::message`. Lines and columns from 1.
 */
const toGithubAnnotation = (diagnostic: Diagnostic): string => {
  const { severity, code, message, at, expected, got, help } = diagnostic;
  const properties: Record<string, string | number> = { title: code };
  // A mistake on the command line is in no file.
  if (at && at.source.name !== 'command line') {
    const from = positionOf(at.source.text, at.start);
    const to = positionOf(at.source.text, at.end);
    Object.assign(properties, { file: at.source.name, line: from.line, endLine: to.line });
    // GitHub takes columns for ranges within one line only.
    if (from.line === to.line) Object.assign(properties, { col: from.column, endColumn: to.column });
  }
  const written = Object.entries(properties).map(([key, value]) => `${key}=${escapeProperty(String(value))}`);
  const details = [
    message,
    expected && `expected: ${expected}`,
    got && `got: ${got}`,
    help && `help: ${help}`,
  ];
  return `::${severity} ${written.join(',')}::${escapeData(bounded(details.filter(Boolean).join('\n')))}`;
};

/** A line for each diagnostic, and of each code a notice with the number of those that are left out. */
export const toGithubAnnotations = (diagnostics: readonly Diagnostic[]): readonly string[] => {
  const { shown, omitted } = selectDiagnostics(diagnostics, mostPrinted);
  return [
    ...shown.map(toGithubAnnotation),
    ...omitted.map((one) => `::notice title=${one.code}::${omittedLine(one)}`),
  ];
};
