import { nothingRegistered, registerRecorded } from '../mlflow/sync/register-recorded.ts';
import type { RegisteredModel, SyncReport } from '../mlflow/sync/results.ts';
import { syncRecorded } from '../mlflow/sync/sync-recorded.ts';
import { referredDirectory } from '../report/best-run.ts';
import { UnrollError, unwrap } from './error.ts';

interface SendSettings {
  /** Where runs are recorded; `runs` by default. */
  readonly runsDirectory?: string;
  /** Another server than the one that the spec or MLFLOW_TRACKING_URI names. */
  readonly to?: string;
  /** Servers, besides loopback and MLFLOW_TRACKING_URI, that a spec may send runs to. */
  readonly allowServers?: readonly string[];
  /** Ends the sending, and the promise rejects with the signal's reason; what is sent stays sent. */
  readonly signal?: AbortSignal;
  /** Called with lines about what is sent, waited for or left out. */
  readonly onNote?: (line: string) => void;
}

export interface SyncSettings extends SendSettings {
  /** Read everything back afterwards and compare; false by default. */
  readonly verify?: boolean;
  /** Restore an experiment that was deleted on the server; false by default. */
  readonly restore?: boolean;
}

export interface RegisterSettings extends SendSettings {
  /** Of the registered model. */
  readonly name: string;
  /** A name for this version and no other, such as `champion`. */
  readonly alias?: string;
}

const sending = ({ runsDirectory = 'runs', to, allowServers, signal, onNote }: SendSettings) => ({
  runsDirectory,
  ...(to !== undefined && { to }),
  ...(allowServers && { allowServers }),
  ...(signal && { signal }),
  print: onNote ?? (() => undefined),
});

/** See `sync` in `src/index.ts`. */
export const sync = async (what: string | undefined, settings: SyncSettings): Promise<SyncReport> => {
  const { verify = false, restore = false, signal } = settings;
  signal?.throwIfAborted();
  const synced = await syncRecorded({
    ...sending(settings),
    ...(what !== undefined && { what }),
    ...{ verify, restore },
  });
  signal?.throwIfAborted();
  return unwrap(synced);
};

/** See `register` in `src/index.ts`. */
export const register = async (run: string, settings: RegisterSettings): Promise<RegisteredModel> => {
  const { name, alias, runsDirectory = 'runs', signal } = settings;
  signal?.throwIfAborted();
  const directory = unwrap(referredDirectory(run, runsDirectory));
  const registered = await registerRecorded(directory, sending(settings), { name, alias });
  signal?.throwIfAborted();
  const model = unwrap(registered);
  if (!model) throw new UnrollError([nothingRegistered(run)]);
  return model;
};
