import { existsSync, readFileSync } from 'node:fs';
import type { Rig } from './rig.ts';

/** Metric lines and weights of all runs: what must be the same wherever they were trained. */
export const numbersOf = (rig: Rig, experiment = 'trial') =>
  rig.runIds(experiment).map((id) => {
    const weights = rig.runPath(experiment, id, 'model', 'weights.safetensors');
    return {
      id,
      reason: rig.status(experiment, id).outcome?.reason,
      metrics: rig.metrics(experiment, id),
      weights: existsSync(weights) ? readFileSync(weights).toString('base64') : undefined,
    };
  });
