import { stringify } from 'yaml';
import { readJsonIfWhole } from '../../system/files.ts';
import { join } from 'node:path';
import { fileNames } from '../../record/run-files.ts';
import type { TrackedRun } from '../journal/record.ts';
import { modelSignature, shapeOfModel, type ModelShape } from './signature.ts';

/** The shape that a run's trained network was built for, once it is kept. */
export const recordedShape = (directory: string): ModelShape | undefined =>
  readJsonIfWhole(join(directory, fileNames.model, 'model.json'), shapeOfModel);

/** A logged model's name: the server refuses `/ : . % " '`. */
export const modelName = ({ run }: TrackedRun): string =>
  run.config.model.name.replace(/[^\p{L}\p{N}_-]/gu, '-');

/**
 * The file that makes a folder a model for MLflow. There is no Python flavour: the weights are safetensors, with all that
 * is needed to build the network in `model.json`.
 */
export const mlmodelFile = (
  record: TrackedRun,
  ids: { readonly runId: string; readonly modelId?: string; readonly path: string },
): string => {
  const { run, status, environment } = record;
  const shape = recordedShape(record.directory);
  return stringify({
    artifact_path: ids.path,
    flavors: {
      unroll: {
        unroll_version: environment?.unroll ?? 'unknown',
        data: 'weights.safetensors',
        config: 'model.json',
        run: run.id,
      },
    },
    ...(ids.modelId !== undefined && { model_id: ids.modelId }),
    model_uuid: run.id.padEnd(32, '0'),
    run_id: ids.runId,
    utc_time_created: new Date(status?.endedAt ?? 0).toISOString().replace('T', ' ').replace('Z', ''),
    ...(shape && { signature: modelSignature(shape) }),
  });
};
