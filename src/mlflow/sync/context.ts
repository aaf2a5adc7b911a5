import type { BackoffSettings } from '../client/backoff.ts';
import type { MlflowClient } from '../client/client.ts';
import type { WireBatch } from '../client/wire.ts';

/** What every step of a synchronisation with one server needs. */
export interface SyncContext {
  readonly client: MlflowClient;
  /** Whether the server's store drops a point that it has already: SQL stores do, its file store does not. */
  readonly dedupes: boolean;
  /** Whether the server's page opens saved views: that of version 2 shows an empty frame instead. */
  readonly savedViews: boolean;
  readonly experimentId: string;
  readonly backoff: BackoffSettings;
  /** How often a batch is repeated before the caller gets the problem. */
  readonly batchRetries: number;
  readonly signal?: AbortSignal;
  /** From `tracking.mlflow` and MLFLOW_RUN_CONTEXT. */
  readonly tags: Readonly<Record<string, string>>;
  /** Which groups of artifacts are sent. */
  readonly artifactGroups: ReadonlySet<string>;
  /** Whether to ask the server for each run that a cursor names, in case it has lost it. */
  readonly checkRuns: boolean;
  /** MLFLOW_RUN_ID: a run that exists on the server and is continued. */
  readonly adoptRunId?: string;
  /** Something the user should know, once. */
  readonly notice: (message: string) => void;
  /** Keeps what the server refused. */
  readonly reject: (entry: {
    readonly runId: string;
    readonly reason: string;
    readonly batch: WireBatch;
  }) => void;
}
