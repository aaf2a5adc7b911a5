import type { DiagnosticCode } from './codes.ts';
import type { Diagnostic } from './diagnostic.ts';

/** Diagnostics of one code and severity that are printed for people and for CI jobs. */
export const mostPrinted = 20;

/** Diagnostics of one code and severity that are in JSON: a file of 1 MB may have 170,000. */
export const mostInJson = 1000;

/** How many diagnostics of a kind were left out. */
export interface Omitted {
  readonly code: DiagnosticCode;
  readonly severity: Diagnostic['severity'];
  readonly count: number;
}

/** The first `most` diagnostics of each code and severity, in the order of their places, and the numbers of the others. */
export const selectDiagnostics = (
  diagnostics: readonly Diagnostic[],
  most: number,
): { readonly shown: readonly Diagnostic[]; readonly omitted: readonly Omitted[] } => {
  const counts = new Map<string, number>();
  const shown = inOrder(diagnostics).filter(({ code, severity }) => {
    const kind = `${severity} ${code}`;
    const count = (counts.get(kind) ?? 0) + 1;
    counts.set(kind, count);
    return count <= most;
  });
  const omitted = [...counts].flatMap(([kind, count]) => {
    const [severity, code] = kind.split(' ') as [Diagnostic['severity'], DiagnosticCode];
    return count > most ? [{ code, severity, count: count - most }] : [];
  });
  return { shown, omitted };
};

const inOrder = (diagnostics: readonly Diagnostic[]): Diagnostic[] =>
  [...diagnostics].sort((a, b) => {
    const [one, other] = [a.at?.source.name ?? '', b.at?.source.name ?? ''];
    return (one === other ? 0 : one.localeCompare(other)) || (a.at?.start ?? 0) - (b.at?.start ?? 0);
  });

/** `and 89,980 more of this kind: error [unknown-key]` */
export const omittedLine = ({ code, severity, count }: Omitted): string =>
  `and ${count.toLocaleString('en')} more of this kind: ${severity} [${code}]`;
