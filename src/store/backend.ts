import type { Diagnostic } from '../diagnostic/diagnostic.ts';
import type { FileDigest } from '../record/digests.ts';

/** What is written to a store. */
export interface Content extends FileDigest {
  readonly open: () => AsyncIterable<Uint8Array>;
}

/** The place of a store: names with contents. Every call rejects with a `StoreError` if the place cannot be used. */
export interface Backend {
  /** As people write it; without credentials. */
  readonly address: string;
  /** Whether it is known that this user may not write there. */
  readonly isReadOnly: () => boolean;
  /** The content of a name; undefined if there is none. */
  readonly read: (name: string) => Promise<AsyncIterable<Uint8Array> | undefined>;
  /** The size of a content; undefined if there is none. */
  readonly size: (name: string) => Promise<number | undefined>;
  /** Writes a content whole. `new` writes it only if the name has none; returns whether it was written. */
  readonly write: (name: string, content: Content, how: 'new' | 'over') => Promise<boolean>;
  /** The names that begin with a folder's, in no order. */
  readonly list: (folder: string) => AsyncIterable<string>;
  /** Removes a name and its content, if they are there. */
  readonly remove: (name: string) => Promise<void>;
  /** The names that begin with a folder's and were last written before a time, in milliseconds since 1970. */
  readonly olderThan: (folder: string, time: number) => AsyncIterable<string>;
  readonly close: () => Promise<void>;
}

/** A store cannot be used, for a reason that the user can change. */
export class StoreError extends Error {
  readonly diagnostic: Diagnostic;
  constructor(diagnostic: Omit<Diagnostic, 'code' | 'severity'>) {
    super(diagnostic.message);
    this.diagnostic = { code: 'store', severity: 'error', ...diagnostic };
  }
}
