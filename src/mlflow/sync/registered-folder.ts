import { failure, type Result } from '../../diagnostic/diagnostic.ts';
import { announcedWaits } from '../client/announced-waits.ts';
import { openClient } from '../client/client.ts';
import { createProblem } from '../client/problem.ts';
import { connectionSettings } from '../client/settings.ts';
import { downloadModel } from './download-model.ts';
import { trackingUri } from './target.ts';
import { proposedCommand } from '../../system/proposed-command.ts';

/** Where a model is looked for. */
export interface ModelPlace {
  readonly runsDirectory: string;
  /** Prints why a server is waited for. */
  readonly complain?: (line: string) => void;
}

/** The folder of a model on the server of MLFLOW_TRACKING_URI, downloaded where it is not in the cache. */
export const registeredFolder = async (
  reference: string,
  { runsDirectory, complain }: ModelPlace,
): Promise<Result<string>> => {
  const uri = trackingUri({ settings: undefined });
  if (uri === undefined)
    return failure(
      createProblem('settings', `No MLflow server is named that could have ${reference}.`, {
        help: `Set MLFLOW_TRACKING_URI. "${proposedCommand(['mlflow'], runsDirectory)}" starts a server.`,
      }),
    );
  const settings = connectionSettings(uri, { allowed: true });
  if (!settings.ok) return settings;
  const opened = openClient(settings.value, complain && announcedWaits(complain));
  if (!opened.ok) return opened;
  try {
    return await downloadModel(opened.value, reference);
  } finally {
    await opened.value.close();
  }
};
