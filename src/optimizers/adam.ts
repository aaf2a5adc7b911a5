import { Type } from '@sinclair/typebox';
import { commonParameters, decayParameter, epsilonParameter } from './common.ts';
import type { OptimizerRow } from './optimizer.ts';
import { checkSchedule } from './schedule.ts';

/** The parameters that Adam and AdamW share. */
export const adamParameters = {
  ...commonParameters(0.001),
  beta1: decayParameter(0.9, 'Decay of the running mean of the gradient.'),
  beta2: decayParameter(0.999, 'Decay of the running mean of the squared gradient.'),
  epsilon: epsilonParameter(1e-8),
};

const parameters = Type.Object(adamParameters, { additionalProperties: false });

/** Adam; see `adamUpdate` for the formula. */
export const adam = {
  title: 'Adam: adaptive steps from running moments of the gradient',
  description:
    'Divides a running mean of the gradient by the root of a running mean of its square, both corrected for their start at zero (Kingma and Ba 2015).',
  version: 1,
  parameters,
  check: ({ schedule }) => checkSchedule(schedule),
  slots: () => [
    { name: 'mean', fill: 0 },
    { name: 'variance', fill: 0 },
  ],
  build: async (chosen) => {
    const { adamUpdate } = await import('./adam-step.ts');
    return adamUpdate(chosen);
  },
} as const satisfies OptimizerRow<typeof parameters>;
