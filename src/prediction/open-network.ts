import { success, type Result } from '../diagnostic/diagnostic.ts';
import type { Loss } from '../losses/loss.ts';
import type { Registry } from '../registry/rows.ts';
import type { OpenModel } from './open-model.ts';
import { lossOf, ownOutputs, type NetworkSettings, type StartOutputs } from './own-outputs.ts';

/** A trained network to predict with. */
export interface OpenNetwork {
  readonly start: StartOutputs;
  /** Makes predictions of the raw outputs. */
  readonly loss: Pick<Loss, 'predictions'>;
}

/**
 * Opens the network of a model: computed by Unroll's own library where it can, and otherwise by TensorFlow, which is
 * loaded only then.
 */
export const openNetwork = async (
  model: OpenModel,
  registry: Registry,
  settings: NetworkSettings = {},
): Promise<Result<OpenNetwork>> => {
  const own = ownOutputs(model, registry, settings);
  if (!own.ok) return own;
  if (own.value) return success({ start: own.value, loss: await lossOf(model, registry) });
  const { buildPredictor } = await import('./predictor.ts');
  const built = await buildPredictor(model, registry, settings);
  if (!built.ok) return built;
  const { outputs, loss } = built.value;
  return success({
    start: (examples) => {
      const raw = outputs(examples);
      return () => raw;
    },
    loss,
  });
};
