import { createHash } from 'node:crypto';
import { pythonModule } from '../../src/export/pytorch/python.ts';
import { stateDictOf } from '../../src/export/pytorch/state-dict.ts';
import { recurrentNetworkOf } from '../../src/export/recurrent-network.ts';
import { tensorBytes, type StoredTensor } from '../../src/system/safetensors.ts';
import type { TrainedCase } from './trained-models.ts';

/** What the export for PyTorch writes. */
export interface ExportedModule {
  readonly python: string;
  readonly tensors: ReadonlyMap<string, StoredTensor>;
}

export const moduleOf = ({ model, weights }: TrainedCase): ExportedModule => {
  const network = recurrentNetworkOf(model, weights);
  if (!network) throw new Error('not a built-in model');
  return {
    python: pythonModule(model, network, { title: 'A test', weightsName: 'model.safetensors' }),
    tensors: stateDictOf(network),
  };
};

/** Of the Python code and the weights, which are the same on every machine. */
export const digestOfModule = ({ python, tensors }: ExportedModule): string => {
  const hash = createHash('sha256').update(python);
  for (const piece of tensorBytes({ tensors, metadata: {} })) hash.update(piece);
  return hash.digest('hex');
};
