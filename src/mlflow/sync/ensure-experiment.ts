import type { MlflowClient } from '../client/client.ts';
import type { Experiment } from '../client/experiments.ts';
import { success } from '../../diagnostic/diagnostic.ts';
import { type Answer, problem } from '../client/problem.ts';

/** Which experiment runs go into: by id it must exist, by name it is created. */
export type ExperimentChoice = { readonly id: string } | { readonly name: string };

const deletedProblem = ({ id, name }: Experiment, { sync, restore }: MlflowClient['commands']) =>
  problem('deleted', `The experiment "${name}" was deleted on the server.`, {
    help: `Restore it (on the server: mlflow experiments restore --experiment-id ${id}; or "${restore}"), or choose another name with tracking.mlflow.experiment; then send what is recorded with "${sync}".`,
  });

/**
 * Finds or creates the experiment. Two who create it at once agree: the one who is refused looks again. A deleted one is
 * somebody's decision, so it is restored only when asked for.
 */
export const ensureExperiment = async (
  client: MlflowClient,
  choice: ExperimentChoice,
  { restore = false }: { readonly restore?: boolean } = {},
): Promise<Answer<Experiment>> => {
  const settle = async (found: Experiment): Promise<Answer<Experiment>> => {
    if (!found.deleted) return success(found);
    if (!restore) return deletedProblem(found, client.commands);
    const restored = await client.restoreExperiment(found.id);
    return restored.ok ? success({ ...found, deleted: false }) : restored;
  };

  if ('id' in choice) {
    const found = await client.experimentById(choice.id);
    if (!found.ok) return found;
    return found.value
      ? settle(found.value)
      : problem('settings', `The server has no experiment with the id ${choice.id}.`, {
          help: 'Correct MLFLOW_EXPERIMENT_ID, or use MLFLOW_EXPERIMENT_NAME, which is created if it is missing.',
        });
  }

  const found = await client.experimentByName(choice.name);
  if (!found.ok) return found;
  if (found.value) return settle(found.value);
  const tags = { 'mlflow.experimentKind': 'custom_model_development' };
  const created = await client.createExperiment(
    choice.name,
    Object.entries(tags).map(([key, value]) => ({ key, value })),
  );
  if (created.ok) return success({ id: created.value, name: choice.name, deleted: false, tags });
  if (created.errors[0].kind !== 'exists' && !created.errors[0].unclear) return created;
  const again = await client.experimentByName(choice.name);
  if (!again.ok) return again;
  return again.value ? settle(again.value) : created;
};
