import type { CellFeature } from '../tensorflow/kernels/candidates.ts';
import type { GruParameters } from './gru.ts';
import type { LstmParameters } from './lstm.ts';
import type { NetworkParameters } from './parameters.ts';

/** What an LSTM asks of its kernel, apart from masks. */
export const lstmFeatures = ({
  peepholes,
  projectionSize,
  layerNorm,
}: Pick<LstmParameters, 'peepholes' | 'projectionSize' | 'layerNorm'>): readonly CellFeature[] => [
  ...(peepholes ? (['peepholes'] as const) : []),
  ...(projectionSize === null ? [] : (['projection'] as const)),
  ...(layerNorm ? (['norm'] as const) : []),
];

/** What a GRU asks of its kernel, apart from masks. */
export const gruFeatures = ({
  resetAfter,
  layerNorm,
}: Pick<GruParameters, 'resetAfter' | 'layerNorm'>): readonly CellFeature[] => [
  ...(resetAfter ? [] : (['resetBefore'] as const)),
  ...(layerNorm ? (['norm'] as const) : []),
];

/** What Elman's cell asks of its kernel, apart from masks. */
export const simpleRnnFeatures = ({
  layerNorm,
}: Pick<NetworkParameters, 'layerNorm'>): readonly CellFeature[] => (layerNorm ? ['norm'] : []);

/** What a cell asks of its kernel in training, where recurrent dropout puts masks on the hidden state. */
export const inTraining = (
  features: readonly CellFeature[],
  { recurrentDropout }: Pick<NetworkParameters, 'recurrentDropout'>,
): readonly CellFeature[] => (recurrentDropout > 0 ? [...features, 'recurrentMask'] : features);
