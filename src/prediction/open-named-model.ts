import type { Result } from '../diagnostic/diagnostic.ts';
import type { ModelPlace } from '../mlflow/sync/registered-folder.ts';
import { openModel, type OpenModel } from './open-model.ts';

export type { ModelPlace };

/** Opens a model as `openModel` does, or one on an MLflow server: `models:/digits@champion`, `models:/digits/3`, `runs:/RUN/model`. */
export const openNamedModel = async (reference: string, place: ModelPlace): Promise<Result<OpenModel>> => {
  if (!/^(models|runs):\//.test(reference)) return openModel(reference, place);
  const { registeredFolder } = await import('../mlflow/sync/registered-folder.ts');
  const folder = await registeredFolder(reference, place);
  return folder.ok ? openModel(folder.value, place) : folder;
};
