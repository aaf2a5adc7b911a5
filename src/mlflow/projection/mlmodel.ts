import { stringify } from 'yaml';
import { readJsonIfWhole } from '../../system/files.ts';
import { join } from 'node:path';
import { fileNames } from '../../record/run-files.ts';
import type { TrackedRun } from '../journal/record.ts';
import { modelSignature, shapeOfModel, type ModelShape } from './signature.ts';

/** The shape that a run's trained network was built for, once it is kept. */
export const recordedShape = (directory: string): ModelShape | undefined =>
  readJsonIfWhole(join(directory, fileNames.model, 'model.json'), shapeOfModel);

/**
 * A logged model is called after its run: `lr4e-3 hs128 s1`. The server refuses `/ : . % " '` in it, so a fraction is written
 * with an exponent: `dropout15e-2`.
 */
export const modelName = (runName: string): string =>
  runName
    .replace(/(\d+)\.(\d+)(?:e([+-]?\d+))?/g, (_, whole: string, fraction: string, exponent = '0') => {
      const power = Number(exponent) - fraction.length;
      return `${Number(whole + fraction)}${power === 0 ? '' : `e${power}`}`;
    })
    .replace(/[/:.%"'\p{C}]/gu, '-');

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
