import type { DiagnosticCode } from './codes.ts';
import type { Diagnostic } from './diagnostic.ts';

/** Diagnostics of one code and severity that are printed for people and for CI jobs. */
export const mostPrinted = 20;

/** Diagnostics of one code and severity that are in JSON: a file of 1 MB may have 170,000. */
export const mostInJson = 1000;

interface Counted {
  listed: number;
  /** The last of its code in the list: it also counts those that are not there. */
  last?: { -readonly [Key in keyof Diagnostic]: Diagnostic[Key] };
}

const countsOf = new WeakMap<Diagnostic[], Map<DiagnosticCode, Counted>>();

/** Adds a diagnostic to a list, or counts it where as many of its code are in the list as anyone will see. */
export const addDiagnostic = (list: Diagnostic[], diagnostic: Diagnostic): void => {
  const byCode = countsOf.get(list) ?? new Map<DiagnosticCode, Counted>();
  countsOf.set(list, byCode);
  const counted = byCode.get(diagnostic.code) ?? { listed: 0 };
  byCode.set(diagnostic.code, counted);
  counted.listed++;
  if (counted.listed < mostInJson) list.push(diagnostic);
  else if (counted.last) counted.last.more = (counted.last.more ?? 0) + 1 + (diagnostic.more ?? 0);
  else list.push((counted.last = { ...diagnostic }));
};

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
  const shown = inOrder(diagnostics).filter(({ code, severity, more = 0 }) => {
    const kind = `${severity} ${code}`;
    const before = counts.get(kind) ?? 0;
    counts.set(kind, before + 1 + more);
    return before < most;
  });
  const omitted = [...counts].flatMap(([kind, count]) => {
    const [severity, code] = kind.split(' ') as [Diagnostic['severity'], DiagnosticCode];
    return count > most ? [{ code, severity, count: count - most }] : [];
  });
  return { shown, omitted };
};

/** Characters of one line of a message: a name may be as long as its file. */
const longestLine = 1000;

/** A part of a diagnostic, with long lines cut. */
export const bounded = (text: string): string =>
  text.length <= longestLine
    ? text
    : text
        .split('\n')
        .map((line) =>
          line.length > longestLine ? `${line.slice(0, longestLine - 200)}…${line.slice(-100)}` : line,
        )
        .join('\n');

const inOrder = (diagnostics: readonly Diagnostic[]): Diagnostic[] =>
  [...diagnostics].sort((a, b) => {
    const [one, other] = [a.at?.source.name ?? '', b.at?.source.name ?? ''];
    return (one === other ? 0 : one.localeCompare(other)) || (a.at?.start ?? 0) - (b.at?.start ?? 0);
  });

/** `and 89,980 more of this kind: error [unknown-key]` */
export const omittedLine = ({ code, severity, count }: Omitted): string =>
  `and ${count.toLocaleString('en')} more of this kind: ${severity} [${code}]`;
