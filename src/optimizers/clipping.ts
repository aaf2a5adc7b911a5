import { addN, clipByValue, div, maximum, mul, sqrt, square, sum, type Tensor } from '@tensorflow/tfjs-core';

export interface Clipping {
  /** Largest common Euclidean norm of all gradients, or null for no limit. */
  readonly clipNorm: number | null;
  /** Largest magnitude of a single number, or null for no limit. */
  readonly clipValue: number | null;
}

/**
 * Clips the gradients of all weights by value, then scales them together to the norm: `g clipNorm / max(norm, clipNorm)`,
 * where the norm is that of all numbers of all gradients (Pascanu, Mikolov and Bengio 2013, "On the difficulty of training
 * recurrent neural networks", algorithm 1). Leaves the given tensors unchanged.
 */
export const clipGradients = (
  gradients: readonly Tensor[],
  { clipNorm, clipValue }: Clipping,
): readonly Tensor[] => {
  const cut =
    clipValue === null
      ? gradients
      : gradients.map((gradient) => clipByValue(gradient, -clipValue, clipValue));
  if (clipNorm === null || cut.length === 0) return cut;
  const norm = sqrt(addN(cut.map((gradient) => sum(square(gradient)))));
  const scale = div(clipNorm, maximum(norm, clipNorm));
  return cut.map((gradient) => mul(gradient, scale));
};
