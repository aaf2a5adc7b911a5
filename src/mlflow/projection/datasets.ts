import type { Run } from '../../plan/plan.ts';
import { limits } from '../client/limits.ts';
import type { WireDataset } from '../client/wire.ts';
import { tensorSchema, type ModelShape } from './signature.ts';

export type DatasetContext = 'train' | 'validation' | 'test';

/**
 * What the server calls a part of a run's dataset. Parts have names of their own because the server keeps one context for
 * each name and digest.
 */
export const datasetKey = (
  { config, datasetDigest }: Run,
  context: DatasetContext,
): Pick<WireDataset['dataset'], 'name' | 'digest'> => ({
  name: `${config.dataset.name}-${context}`.slice(0, limits.datasetNameLength),
  digest: datasetDigest.slice(0, 32) || 'unknown',
});

/** The parts of a run's dataset that its metrics are of, with the digest of the content. */
export const runDatasets = (
  run: Run,
  {
    shape,
    contexts,
  }: { readonly shape: ModelShape | undefined; readonly contexts: readonly DatasetContext[] },
): readonly WireDataset[] => {
  const { name, ...parameters } = run.config.dataset;
  const path = [parameters['path'], parameters['file'], parameters['directory']].find(
    (value) => typeof value === 'string',
  );
  const part = (context: DatasetContext): WireDataset => ({
    dataset: {
      ...datasetKey(run, context),
      source_type: path === undefined ? 'code' : 'local',
      source: JSON.stringify(
        path === undefined ? { tags: { 'mlflow.source.name': `unroll dataset ${name}` } } : { uri: path },
      ),
      ...(shape && { schema: tensorSchema(shape) }),
      profile: JSON.stringify({ ...parameters, digest: run.datasetDigest }),
    },
    tags: [{ key: 'mlflow.data.context', value: context }],
  });
  return contexts.map(part);
};
