import type { Result } from '../diagnostic/diagnostic.ts';
import { openModel, type OpenModel } from '../prediction/open-model.ts';

/** Opens a model that a command line names: of a run, of a folder, in a `model.onnx`, or a registered one such as `models:/digits@champion`. */
export const openNamedModel = async (
  reference: string,
  { runsDirectory }: { readonly runsDirectory: string },
): Promise<Result<OpenModel>> => {
  if (!reference.startsWith('models:/')) return openModel(reference, { runsDirectory });
  const { registeredFolder } = await import('./registered-model.ts');
  const folder = await registeredFolder(reference, runsDirectory);
  return folder.ok ? openModel(folder.value, { runsDirectory }) : folder;
};
