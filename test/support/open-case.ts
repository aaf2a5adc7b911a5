import { presetsOf } from '../../src/parameters/row.ts';
import { openModel, type OpenModel } from '../../src/prediction/open-model.ts';
import { registry, rowOf } from '../../src/registry/rows.ts';
import { writeModelFolder } from './model-folder.ts';
import type { TrainedCase } from './trained-models.ts';

/** A trained case as the folder of a model, opened. */
export const openCase = (folder: string, found: TrainedCase): OpenModel => {
  const { loss, quantiles } = found.model;
  const presets = presetsOf(rowOf(registry.loss, loss)) as typeof loss;
  const whole = { ...presets, ...loss, ...(quantiles && { quantiles }) };
  writeModelFolder(folder, { ...found, model: { ...found.model, loss: whole } });
  const opened = openModel(folder, { runsDirectory: folder });
  if (!opened.ok) throw new Error(opened.errors[0]?.message);
  return opened.value;
};
