import type { Row, RowOrigin } from '../../parameters/row.ts';
import { findRow, type Registry, type Table } from '../rows.ts';

/** An entry of the user's own, with the digest of its code as it was recorded. */
export interface RecordedCode {
  readonly kind: keyof Registry;
  readonly name: string;
  readonly digest: string;
}

/** An entry whose code is not the recorded one; without an origin it is not there, or is no entry of the user's own. */
export interface ChangedCode extends RecordedCode {
  readonly origin: RowOrigin | undefined;
}

/** The first entry that a registry does not have with its recorded code. */
export const changedCode = (
  registry: Registry,
  recorded: readonly RecordedCode[],
): ChangedCode | undefined => {
  for (const one of recorded) {
    const table: Table<Pick<Row, 'origin'>> = registry[one.kind] ?? {};
    const origin = findRow(table, one.name)?.origin;
    if (origin?.digest !== one.digest) return { ...one, origin };
  }
  return undefined;
};

/** The fields of a diagnostic about it. */
export const changedCodeFacts = ({
  kind,
  name,
  digest,
  origin,
}: ChangedCode): { readonly expected: string; readonly got: string } => ({
  expected: `the code with the digest ${digest.slice(0, 12)}`,
  got: origin ? `the digest ${origin.digest.slice(0, 12)}` : `no ${kind} ${name}`,
});
