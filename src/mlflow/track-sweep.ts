import type { Plan } from '../plan/plan.ts';
import { withKeptUserInfo } from '../system/secrets.ts';
import type { RunListener } from '../record/events.ts';
import { elsewhere, trackingUri } from './sync/target.ts';
import { startUploader, type FinishOptions, type Uploader, type UploaderEnd } from './uploader/start.ts';

export interface TrackOptions {
  readonly plan: Plan;
  readonly runsDirectory: string;
  /** A warning, in one line. */
  readonly print: (line: string) => void;
  /** The address of the compare view, as soon as there is one. */
  readonly onLink?: (link: string) => void;
  /** Servers that a spec may name in this command. */
  readonly allowServers?: readonly string[];
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** The uploader's program, where it is not the bundled one. */
  readonly entry?: string;
}

/** A sweep that is sent to MLflow while it runs. */
export interface Tracker {
  /** Starts the uploader with the sweep, once its plan is frozen. */
  readonly listener: RunListener;
  /** After the sweep: sends the rest for a bounded time; nothing when no sweep was started. */
  readonly finish: (options?: FinishOptions) => Promise<UploaderEnd | undefined>;
}

/**
 * A listener that sends a sweep to the MLflow server of its spec or of MLFLOW_TRACKING_URI; nothing where neither names
 * one. Importing this costs little: the client lives in the uploader's process.
 */
export const trackSweep = (options: TrackOptions): Tracker | undefined => {
  const { plan, env = process.env, runsDirectory, print, onLink, entry, allowServers } = options;
  const { experiment, sweepId } = plan;
  if (trackingUri({ settings: plan.tracking.mlflow, env }) === undefined) return undefined;
  const uri = plan.tracking.mlflow?.uri;
  const other = elsewhere({ settings: plan.tracking.mlflow, experiment, env });
  if (other !== undefined) print(`MLflow: ${other}`);
  let uploader: Uploader | undefined;
  return {
    listener: (event) => {
      // A search may have nothing left to train but further points to choose.
      if ((event.type === 'sweep-started' && event.toRun > 0) || event.type === 'runs-added')
        uploader ??= startUploader({
          runsDirectory,
          experiment,
          sweepId,
          print,
          mlflow: plan.tracking.mlflow,
          ...(onLink && { onLink }),
          ...(allowServers && { allowServers }),
          ...(uri !== undefined && { uriWithUserInfo: withKeptUserInfo(uri) }),
          ...(entry !== undefined && { entry }),
        });
    },
    finish: async (options) => uploader?.finish(options),
  };
};
