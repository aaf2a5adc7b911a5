import { Type } from '@sinclair/typebox';
import type { LossRow } from './loss.ts';

const parameters = Type.Object(
  {
    quantiles: Type.Array(Type.Number({ exclusiveMinimum: 0, exclusiveMaximum: 1, examples: [0.5] }), {
      minItems: 1,
      maxItems: 99,
      default: [0.1, 0.5, 0.9],
      description:
        'Which quantiles of a target to predict, in rising order. The one nearest to 0.5 is the prediction that errors are measured of.',
      examples: [[0.1, 0.5, 0.9]],
    }),
  },
  { additionalProperties: false },
);

/**
 * The pinball loss (Koenker and Bassett 1978): with e = target - prediction, q e for e above 0 and (q - 1) e below, averaged over
 * quantiles and numbers. Quantiles never cross: the network puts out the middle one and the distances to its neighbours,
 * each through softplus.
 */
export const quantile = {
  title: 'Quantile (pinball) loss',
  description:
    'Trains several quantiles of each target at once, such as the borders of an 80 % band and the median (Koenker and Bassett 1978). The network puts out the middle quantile and, through softplus, the distances between neighbours, so quantiles never cross.',
  version: 1,
  tasks: ['regression', 'forecast'],
  parameters,
  outputsPerTarget: ({ quantiles }) => quantiles.length,
  check: ({ quantiles }) => {
    const falls = quantiles.findIndex((one, at) => at > 0 && one <= (quantiles[at - 1] as number));
    const rising = [...new Set(quantiles)].sort((a, b) => a - b);
    return falls === -1
      ? []
      : [
          {
            path: 'quantiles',
            message: 'The quantiles do not rise.',
            expected: 'each once, in rising order',
            help: `Write \`quantiles: [${rising.join(', ')}]\`.`,
          },
        ];
  },
  build: async ({ quantiles }) => {
    const { pinballRows, risingQuantiles } = await import('./quantile-rows.ts');
    return {
      rows: (outputs, targets) => pinballRows(outputs, targets, quantiles),
      predictions: (outputs) => risingQuantiles(outputs, quantiles),
      quantiles,
    };
  },
} as const satisfies LossRow<typeof parameters>;
