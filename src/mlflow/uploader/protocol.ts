/** What the uploader's process receives at its start. */
export interface UploaderSettings {
  readonly runsDirectory: string;
  readonly experiment: string;
  readonly sweepId: string;
  /** Overrides the address of the spec and of the environment. */
  readonly to?: string;
  /** Servers that a spec may name in this command. */
  readonly allowServers?: readonly string[];
  /** The address of the spec with its user info, which is never written to a file. */
  readonly uriWithUserInfo?: string;
}

/** From the command to the uploader. */
export type UploaderRequest =
  | { readonly type: 'start'; readonly settings: UploaderSettings }
  /** Training is over: send the rest, for at most so long. A second one ends the sending sooner. */
  | { readonly type: 'finish'; readonly drainMs: number };

/** What is not on the server. */
export interface Unsent {
  readonly runs: number;
  readonly points: number;
  /** The command that sends it. */
  readonly command: string;
}

/** From the uploader to the command. */
export type UploaderReport =
  /** Sent every second once it was asked to finish: a stopped process is not waited for. */
  | { readonly type: 'alive' }
  | { readonly type: 'linked'; readonly link: string }
  | { readonly type: 'notice'; readonly message: string }
  | { readonly type: 'finished'; readonly sent: number; readonly unsent: Unsent | null };
