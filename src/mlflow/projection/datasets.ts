import type { Run } from '../../plan/plan.ts';
import { limits } from '../client/limits.ts';
import type { WireDataset } from '../client/wire.ts';
import { tensorSchema, type ModelShape } from './signature.ts';

/**
 * The training and the test part of a run's dataset, with the digest of the content. They have names of their own
 * because the server keeps one context for each name and digest.
 */
export const runDatasets = (run: Run, shape: ModelShape | undefined): readonly WireDataset[] => {
  const { name, ...parameters } = run.config.dataset;
  const path = [parameters['path'], parameters['file'], parameters['directory']].find(
    (value) => typeof value === 'string',
  );
  const part = (context: 'train' | 'test'): WireDataset => ({
    dataset: {
      name: `${name}-${context}`.slice(0, limits.datasetNameLength),
      digest: run.datasetDigest.slice(0, 32) || 'unknown',
      source_type: path === undefined ? 'code' : 'local',
      source: JSON.stringify(
        path === undefined ? { tags: { 'mlflow.source.name': `unroll dataset ${name}` } } : { uri: path },
      ),
      ...(shape && { schema: tensorSchema(shape) }),
      profile: JSON.stringify({ ...parameters, digest: run.datasetDigest }),
    },
    tags: [{ key: 'mlflow.data.context', value: context }],
  });
  return [part('train'), part('test')];
};
