import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TrainedModel, Weights } from '../../src/export/trained-model.ts';
import { modelFileNames, type ModelFile } from '../../src/record/run-files.ts';
import { writeTensors } from '../../src/system/safetensors.ts';

/** Writes the folder of a model as a training does. */
export const writeModelFolder = (
  folder: string,
  { model, weights }: { readonly model: TrainedModel; readonly weights: Weights },
): void => {
  const file: ModelFile = {
    format: 2,
    run: { id: '3fa1b2c3d4e5', label: 'learningRate 0.004', experiment: 'exported', seed: 1 },
    ...model,
    metrics: {},
    data: { digest: '0' },
    kernel: 'composed',
    versions: { dataset: 1, model: 1, optimizer: 1, trainer: 1 },
  };
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, modelFileNames.model), JSON.stringify(file));
  writeTensors(join(folder, modelFileNames.weights), {
    tensors: new Map([...weights].map(([name, tensor]) => [`weights/${name}`, tensor])),
    metadata: {},
  });
};

/** A classifier of toy sequences with a model of some name, whose one weight fits no built-in network. */
export const writeToyFolder = (folder: string, model: TrainedModel['model']): void =>
  writeModelFolder(folder, {
    model: {
      dataset: { name: 'toy-sequences' },
      model,
      loss: { name: 'cross-entropy' },
      outputsPerTarget: 1,
      shape: {
        steps: 2,
        input: { kind: 'values', features: 1 },
        variableLength: false,
        task: { kind: 'classification', classes: 2 },
      },
      preprocessing: { kind: 'none' },
    },
    weights: new Map([['map', { shape: [1], values: Float32Array.of(1) }]]),
  });
