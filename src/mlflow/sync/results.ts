/** What a synchronisation did, for `--json`. */
export interface SyncReport {
  readonly runs: number;
  readonly complete: number;
  /** Of these runs the server has everything but files, which it cannot store. */
  readonly withoutFiles: number;
  readonly points: number;
  readonly rejected: number;
  /** Passed over because another process is sending them. */
  readonly locked: readonly string[];
  readonly links: readonly string[];
  /** With `verify`: what differs, by run. */
  readonly differences: readonly { readonly run: string; readonly differences: readonly string[] }[];
  readonly verified: number;
}

/** A version of a registered model. */
export interface Registered {
  readonly name: string;
  readonly version: string;
  /** Whether the version was there already. */
  readonly known: boolean;
  /** The run on the server. */
  readonly runId: string;
}

/** A version of a registered model, and the address that programs load it by. */
export interface RegisteredModel extends Registered {
  readonly alias: string | null;
  /** Such as `models:/digits@champion`, or `models:/digits/3` without an alias. */
  readonly uri: string;
}
